// Finds a Chromium for the browser tests, or installs one: Debian's package as root, elsewhere Playwright's own.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { findChromium } from './lib/chromium.ts'

const playwright = path.resolve(import.meta.dirname, '../node_modules/playwright-core/cli.js')
const isRoot = process.getuid?.() === 0
const commands: readonly (readonly [string, ...string[]])[] =
  isRoot && existsSync('/etc/debian_version')
    ? [
        ['apt-get', 'update'],
        ['apt-get', 'install', '--yes', '--no-install-recommends', 'chromium'],
      ]
    : [[process.execPath, playwright, 'install', 'chromium']]

if (findChromium() === null)
  for (const [command, ...args] of commands) spawnSync(command, args, { stdio: 'inherit' })
const found = findChromium()
if (found === null) {
  console.error(
    'browser: no Chromium could be installed (see above); name one that you have in KILLSWITCH_CHROMIUM.',
  )
  process.exitCode = 1
} else console.log(`Chromium for the browser tests: ${found}`)
