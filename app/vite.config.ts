import path from 'node:path'
import react from '@vitejs/plugin-react'
import { type CSSOptions, createServer, defineConfig, type Plugin } from 'vite'

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

const css: CSSOptions = { modules: { generateScopedName: '[local]-[hash:base64:4]' } }

async function renderShell(): Promise<string> {
  const server = await createServer({
    configFile: false,
    root: import.meta.dirname,
    appType: 'custom',
    logLevel: 'error',
    css,
    // Without the React plugin, which names modules to bundle beforehand: builds at the same time would write them into
    // one folder. JSX needs it not.
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, ws: false, watch: null },
  })
  try {
    const shell = (await server.ssrLoadModule('/shell.tsx')) as typeof import('./shell.tsx')
    return shell.renderShell()
  } finally {
    await server.close()
  }
}

/**
 * What index.html says before any script runs, and in which order it asks for the rest.
 *
 * - The frame stands in the page itself, as `shell.tsx` renders it: it is painted as soon as the styles are there.
 * - The styles are asked for first, on the connection that is open already.
 * - The first page's parts are named: the entry imports them dynamically, so that reading the configuration need not wait
 *   for them, and the browser would learn of them too late. What paints the frame goes before them.
 */
const firstPaint: Plugin = {
  name: 'first-paint',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    async handler(html, { bundle = {} }) {
      const chunks = Object.values(bundle).filter((one) => one.type === 'chunk')
      const page = chunks.find(({ facadeModuleId }) => facadeModuleId?.endsWith('/app/page.tsx'))
      if (page === undefined) throw new Error('no chunk is made of app/page.tsx')
      const scripts = new Set([page.fileName])
      for (const script of scripts)
        for (const imported of chunks.find(({ fileName }) => fileName === script)?.imports ?? [])
          scripts.add(imported)
      const [styles = ''] = /<link rel="stylesheet"[^>]*>/.exec(html) ?? []
      const shell = await renderShell()
      const place = '<div id="app"></div>'
      if (styles === '' || !html.includes(place)) throw new Error('index.html has no styles or no #app')
      return {
        html: html
          .replace(styles, '')
          .replace('<script type="module"', () => `${styles}\n    <script type="module"`)
          .replace(place, () => shell),
        tags: [...scripts]
          .filter((file) => !html.includes(file))
          .map((file) => ({
            tag: 'link',
            attrs: { rel: 'modulepreload', fetchpriority: 'low', crossorigin: true, href: `./${file}` },
            injectTo: 'head' as const,
          })),
      }
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
  plugins: [react(), contentSecurityPolicy, firstPaint],
  css,
  build: {
    target: 'es2023',
    outDir: path.resolve(import.meta.dirname, '../dist-app'),
    emptyOutDir: true,
    // A page served under a strict policy loads no data: URLs, and the polyfill would be an inline script.
    assetsInlineLimit: 0,
    // All of it is 6 kB gzipped: one request less is worth more than the pages' own part of that.
    cssCodeSplit: false,
    // What comes after the first paint need not come fast, and links to all its parts would take a phone 60 ms.
    modulePreload: { polyfill: false, resolveDependencies: () => [] },
    chunkSizeWarningLimit: 800,
  },
}))
