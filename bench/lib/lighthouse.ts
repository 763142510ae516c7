import type { Children } from '../../scripts/lib/children.ts'

export type Preset = 'mobile' | 'desktop'

/** Lighthouse's scores of a page, 0 to 100, by category. */
export type Scores = Readonly<Record<string, number>>

/** Lighthouse's own word for a trace that the browser did not record in full. */
const again = 'Please run Lighthouse again'
const attempts = 3

const categories = ['performance', 'accessibility', 'best-practices', 'seo']

/**
 * Runs Lighthouse's command, which `installTool` has installed, in a tab of its own of a browser that runs. It empties the
 * browser's cache first, so this is a first visit; what the page has stored it leaves alone, so a wallet stays connected.
 * @param port the browser's remote debugging port
 * @throws {SetupError} when Lighthouse fails; where it asks to be run again, after some attempts
 */
export async function judgePage(options: {
  readonly children: Children
  readonly port: number
  readonly url: string
  readonly preset: Preset
  readonly say: (text: string) => void
}): Promise<Scores> {
  const { children, port, url, preset, say } = options
  const launch = {
    name: 'lighthouse',
    script: 'bench/processes/lighthouse.ts',
    args: [
      url,
      `--port=${port}`,
      `--only-categories=${categories.join(',')}`,
      '--no-enable-error-reporting',
      '--quiet',
      '--output=json',
      ...(preset === 'desktop' ? ['--preset=desktop'] : []),
    ],
  }
  let report: string | null = null
  for (let left = attempts; report === null; left--) {
    report = await children.run(launch).catch((error: Error) => {
      if (left === 1 || !error.message.includes(again)) throw error
      say(`Lighthouse asks to be run again: ${error.message}`)
      return null
    })
  }
  const { categories: judged } = JSON.parse(report) as {
    categories: Record<string, { score: number | null }>
  }
  return Object.fromEntries(
    categories.map((name) => [name, Math.round((judged[name]?.score ?? Number.NaN) * 100)]),
  )
}
