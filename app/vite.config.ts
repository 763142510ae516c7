import path from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/**
 * The page carries its policy itself, for servers that send none: code, styles and fonts of its own only. Which node and
 * relayer it talks to stands in `config.json`; a relayer that serves it narrows `connect-src` to those by its header.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self' http: https:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

const contentSecurityPolicy: Plugin = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: policy },
      injectTo: 'head-prepend',
    },
  ],
}

/**
 * Names in the page itself what the first page is made of: the entry imports it dynamically, so that reading the
 * configuration need not wait for it, and the browser would learn of it too late.
 */
const firstPage: Plugin = {
  name: 'first-page',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler(html, { bundle = {} }) {
      const chunks = Object.values(bundle).filter((one) => one.type === 'chunk')
      const page = chunks.find(({ facadeModuleId }) => facadeModuleId?.endsWith('/app/page.tsx'))
      if (page === undefined) throw new Error('no chunk is made of app/page.tsx')
      const scripts = new Set([page.fileName])
      for (const script of scripts)
        for (const imported of chunks.find(({ fileName }) => fileName === script)?.imports ?? [])
          scripts.add(imported)
      const styles = chunks
        .filter(({ fileName }) => scripts.has(fileName))
        .flatMap(({ viteMetadata }) => [...(viteMetadata?.importedCss ?? [])])
      const isNew = (file: string) => !html.includes(file)
      return [
        ...[...scripts].filter(isNew).map((file) => ({
          tag: 'link',
          attrs: { rel: 'modulepreload', crossorigin: true, href: `./${file}` },
          injectTo: 'head' as const,
        })),
        ...styles.filter(isNew).map((file) => ({
          tag: 'link',
          attrs: { rel: 'stylesheet', crossorigin: true, href: `./${file}` },
          injectTo: 'head' as const,
        })),
      ]
    },
  },
}

/**
 * `--mode localchain` adds the development wallet, for chains of this machine only; every other build leaves its code out.
 * Paths are relative, so that the folder works under any address, IPFS gateways included.
 */
export default defineConfig(({ mode }) => ({
  root: import.meta.dirname,
  base: './',
  define: { __DEVELOPMENT_WALLET__: JSON.stringify(mode === 'localchain') },
  plugins: [react(), contentSecurityPolicy, firstPage],
  css: { modules: { generateScopedName: '[local]-[hash:base64:4]' } },
  build: {
    target: 'es2023',
    outDir: path.resolve(import.meta.dirname, '../dist-app'),
    emptyOutDir: true,
    // A page served under a strict policy loads no data: URLs, and the polyfill would be an inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
  },
}))
