import process from 'node:process'
import { type Browser, chromium } from 'playwright-core'
import { chromiumOptions, findChromium } from '../../../scripts/lib/chromium.ts'

/**
 * Starts Chromium; null, with one line that says so, where there is none.
 * @throws where `KILLSWITCH_BROWSER=required` and there is none
 */
export async function launchChromium(): Promise<Browser | null> {
  const executablePath = findChromium()
  if (executablePath !== null) return chromium.launch(chromiumOptions(executablePath))
  if (process.env.KILLSWITCH_BROWSER === 'required')
    throw new Error('there is no Chromium: npm run browser installs one')
  console.warn('browser tests skipped: there is no Chromium (npm run browser installs one)')
  return null
}
