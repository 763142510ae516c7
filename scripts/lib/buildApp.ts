import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { buildOnce } from './buildOnce.ts'
import { SetupError } from './setupError.ts'

const root = path.resolve(import.meta.dirname, '../..')
const sources = [
  'app/**/*',
  'protocol/**/*.ts',
  'scripts/lib/buildApp.ts',
  'package-lock.json',
  'package.json',
]

function sourceHash(): string {
  const hash = createHash('sha256')
  for (const entry of globSync(sources, { cwd: root, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.test.ts')) continue
    const file = path.join(entry.parentPath, entry.name)
    hash.update(`${path.relative(root, file)}\n`).update(readFileSync(file))
  }
  return hash.digest('hex')
}

/**
 * Builds the dApp.
 * @param mode `localchain` adds the development wallet
 * @throws {SetupError} with what Vite says
 */
export async function buildApp(outDir: string, mode: 'production' | 'localchain'): Promise<void> {
  const vite = path.join(root, 'node_modules/vite/bin/vite.js')
  const args = [
    'build',
    '--config',
    'app/vite.config.ts',
    '--mode',
    mode,
    '--logLevel',
    'error',
    '--outDir',
    outDir,
  ]
  try {
    // A process of its own: a test's NODE_ENV would build React's development version.
    await promisify(execFile)(process.execPath, [vite, ...args], {
      cwd: root,
      env: { ...process.env, NODE_ENV: 'production' },
    })
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    throw new SetupError(`the dApp could not be built: ${stderr.trim()}`)
  }
}

/**
 * The dApp with its development wallet, built where the last build is not of the same sources.
 * @returns its folder, to be read only
 * @throws {SetupError} with what Vite says
 */
export const buildLocalApp = (): Promise<string> =>
  // Beside what else is built and may be thrown away.
  buildOnce(path.join(root, 'cache', 'app-local'), sourceHash(), (folder) => buildApp(folder, 'localchain'))
