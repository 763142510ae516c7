#!/usr/bin/env node
// The command `killswitch`, in a clone and in the published package.
//
// A clone has the TypeScript beside this file and runs it: what was built there may be old. Node runs TypeScript itself
// from 22.18 on; under an older one the Node that the set-up has put into node_modules takes over. The published package
// has JavaScript only.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'

const folder = path.dirname(fileURLToPath(import.meta.url))
const root = path.resolve(folder, '..', '..')
const source = path.join(folder, 'main.ts')
const built = path.join(root, 'dist', 'sdk', 'cli', 'main.js')

if (!existsSync(source) || folder.split(path.sep).includes('node_modules')) {
  await import(pathToFileURL(built).href)
} else if (!existsSync(path.join(root, 'protocol', 'generated'))) {
  console.error('killswitch: this clone is not set up yet; run `node scripts/bootstrap.mjs` once.')
  process.exitCode = 1
} else if (process.features.typescript) {
  await import(pathToFileURL(source).href)
} else {
  const node = path.join(
    root,
    'node_modules',
    'node',
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  )
  const child = spawn(node, [source, ...process.argv.slice(2)], { stdio: 'inherit' })
  // The terminal sends Ctrl-C to both: this one only waits for the other's end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(
      `killswitch: cannot start ${node} (${error.code}); run \`node scripts/bootstrap.mjs\` once.`,
    )
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
  })
}
