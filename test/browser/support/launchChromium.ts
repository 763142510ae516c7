import process from 'node:process'
import { type Browser, chromium } from 'playwright-core'
import { chromiumOptions, findChromium } from '../../../scripts/lib/chromium.ts'

/**
 * Starts Chromium; null, with one line that says so, where there is none or it does not start.
 * @throws instead, where `KILLSWITCH_BROWSER=required`
 */
export async function launchChromium(): Promise<Browser | null> {
  const executablePath = findChromium()
  let why = 'there is no Chromium (npm run browser installs one)'
  let cause: unknown
  if (executablePath !== null) {
    try {
      return await chromium.launch(chromiumOptions(executablePath))
    } catch (error) {
      cause = error
      why = `${executablePath} does not start (${(error as Error).message.split('\n')[0]}); name another in KILLSWITCH_CHROMIUM`
    }
  }
  if (process.env.KILLSWITCH_BROWSER === 'required') throw new Error(why, { cause })
  console.warn(`browser tests skipped: ${why}`)
  return null
}
