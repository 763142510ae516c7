import { existsSync } from 'node:fs'
import process from 'node:process'
import { chromium, type LaunchOptions } from 'playwright-core'

const systems = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** The Chromium to use: the one that `KILLSWITCH_CHROMIUM` names, the system's, or Playwright's own; null without any. */
export function findChromium(): string | null {
  const named = process.env.KILLSWITCH_CHROMIUM
  const candidates = named === undefined || named === '' ? [...systems, chromium.executablePath()] : [named]
  return candidates.find((file) => existsSync(file)) ?? null
}

/** How Chromium is started: quietly, and without talking to anybody by itself. */
export const chromiumOptions = (executablePath: string): LaunchOptions => ({
  executablePath,
  args: [
    '--no-sandbox',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
})
