import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { runCli } from './cli.ts'
import { processSurroundings } from './surroundings.ts'

/** The version of the package around this file, wherever it was built to. */
function version(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url))
  for (;;) {
    const file = path.join(folder, 'package.json')
    if (existsSync(file)) {
      const manifest = JSON.parse(readFileSync(file, 'utf8')) as { version?: string }
      if (manifest.version !== undefined) return manifest.version
    }
    const parent = path.dirname(folder)
    if (parent === folder) return 'unknown'
    folder = parent
  }
}

// A reader that has gone (`killswitch agents | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})
process.exitCode = await runCli(process.argv.slice(2), processSurroundings(), version())
