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
 * `--mode localchain` adds the development wallet, for chains of this machine only; every other build leaves its code out.
 * Paths are relative, so that the folder works under any address, IPFS gateways included.
 */
export default defineConfig(({ mode }) => ({
  root: import.meta.dirname,
  base: './',
  define: { __DEVELOPMENT_WALLET__: JSON.stringify(mode === 'localchain') },
  plugins: [react(), contentSecurityPolicy],
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
