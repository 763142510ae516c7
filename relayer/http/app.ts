import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Application } from './application.ts'

/** The built app as it is served: from memory, since it is small and nothing outside the folder must be reachable. */
export type AppFiles = {
  readonly files: ReadonlyMap<string, AppFile>
  /** What the operator wrote into its config.json. */
  readonly config: Readonly<Record<string, unknown>>
}

type AppFile = {
  readonly type: string
  readonly body: Uint8Array<ArrayBuffer>
  readonly gzipped: Uint8Array<ArrayBuffer> | null
}

/** The folder holds no app that could be served. */
export class AppFolderError extends Error {
  override readonly name = 'AppFolderError'
  readonly folder: string
  constructor(folder: string, why: string, options?: ErrorOptions) {
    super(`--app ${folder}: ${why}`, options)
    this.folder = folder
  }
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
}
const isText = (type: string): boolean => !type.startsWith('font/')

/** Reads a folder that `npm run build` made. @throws {AppFolderError} */
export function readAppFiles(folder: string): AppFiles {
  const files = new Map<string, AppFile>()
  try {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const file = join(entry.parentPath, entry.name)
      const type = types[extname(file)]
      if (type === undefined) continue
      const body = new Uint8Array(readFileSync(file))
      const path = `/${relative(folder, file).split(sep).join('/')}`
      files.set(path, { type, body, gzipped: isText(type) ? new Uint8Array(gzipSync(body)) : null })
    }
  } catch (error) {
    throw new AppFolderError(folder, `it cannot be read (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    })
  }
  if (!files.has('/index.html'))
    throw new AppFolderError(folder, 'it has no index.html; npm run build makes one')
  const text = files.get('/config.json')
  files.delete('/config.json')
  try {
    const config = text === undefined ? {} : JSON.parse(new TextDecoder().decode(text.body))
    if (typeof config?.rpc !== 'string' || !URL.canParse(config.rpc)) {
      throw new AppFolderError(
        folder,
        'its config.json names no "rpc", the address of a node of the chain that browsers may use',
      )
    }
    return { files, config }
  } catch (error) {
    if (error instanceof AppFolderError) throw error
    throw new AppFolderError(folder, `its config.json is no JSON (${(error as Error).message})`, {
      cause: error,
    })
  }
}

const originOf = (address: unknown, base: string): string | null =>
  typeof address === 'string' && URL.canParse(address, base) ? new URL(address, base).origin : null

/** Scripts, styles and fonts of its own only; it talks to the node and the relayer of its configuration and nobody else. */
export function contentSecurityPolicy(config: Readonly<Record<string, unknown>>): string {
  const own = 'http://own.invalid'
  const others = [config.rpc, config.relayer].map((address) => originOf(address, own))
  const connect = ["'self'", ...new Set(others.filter((origin) => origin !== null && origin !== own))]
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    // Wallets announce their icons as data: URIs (EIP-6963).
    "img-src 'self' data:",
    `connect-src ${connect.join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Serves the app beside the API: `/`, its files, and `/config.json` with what this relayer knows and its folder adds. */
export function addAppRoutes(
  app: Application,
  { files, config }: AppFiles,
  known: Readonly<Record<string, unknown>>,
): void {
  const merged = { relayer: '/', ...known, ...config }
  const headers = {
    'content-security-policy': contentSecurityPolicy(merged),
    'cross-origin-opener-policy': 'same-origin-allow-popups',
    'permissions-policy': 'camera=(), microphone=(), geolocation=()',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    vary: 'accept-encoding',
  }
  app.get('/config.json', (context) => context.json(merged, 200, { ...headers, 'cache-control': 'no-store' }))
  for (const [path, { type, body, gzipped }] of files) {
    const serve = (
      accepted: string | undefined,
    ): readonly [Uint8Array<ArrayBuffer>, Record<string, string>] => {
      const plain = {
        ...headers,
        'content-type': type,
        // Names of assets are made of their content.
        'cache-control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      }
      return gzipped !== null && /\bgzip\b/.test(accepted ?? '')
        ? [gzipped, { ...plain, 'content-encoding': 'gzip' }]
        : [body, plain]
    }
    for (const route of path === '/index.html' ? ['/', path] : [path]) {
      app.get(route, (context) => {
        const [content, contentHeaders] = serve(context.req.header('accept-encoding'))
        return context.body(content, 200, contentHeaders)
      })
    }
  }
}
