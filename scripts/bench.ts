// Measures the published figures (docs/performance.md) and says what they were measured on.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { backfill } from '../bench/backfill.ts'
import { dapp } from '../bench/dapp.ts'
import { emergency } from '../bench/emergency.ts'
import { flood } from '../bench/flood.ts'
import { head } from '../bench/head.ts'
import { issue } from '../bench/issue.ts'
import { kill } from '../bench/kill.ts'
import type { Bench, Benchmark } from '../bench/lib/benchmark.ts'
import { describeMachine, machineLine } from '../bench/lib/machine.ts'
import { type Figure, figureLines, missedFloors, summarise } from '../bench/lib/report.ts'
import { watchStolenTime } from '../bench/lib/stolenTime.ts'
import { takeDataFolder } from './lib/dataFolder.ts'
import { type Flags, helpText, readOptions } from './lib/readOptions.ts'
import { type Cleanup, runScript } from './lib/runScript.ts'
import { SetupError } from './lib/setupError.ts'

const benchmarks: Readonly<Record<string, Benchmark>> = {
  kill,
  emergency,
  head,
  backfill,
  issue,
  flood,
  dapp,
}

const flags = {
  runs: { value: 'number', least: 1, most: 100, help: 'how often each is run; the median is judged' },
  small: { help: 'a tenth of the size, to try it out: not the published figures' },
  check: { help: 'exit code 1 when a figure is beyond its floor' },
  json: { help: 'the last line on standard output is one JSON object' },
  keep: { help: 'leave the folders with logs and stores' },
  help: { help: 'show this' },
} as const satisfies Flags

const usage = [
  'npm run bench -- <name> [options]',
  '',
  ...Object.entries({ ...benchmarks, all: { about: 'each of these' } }).map(
    ([name, { about }]) => `  ${name.padEnd(24)}${about}`,
  ),
].join('\n')

/** Something with a folder of its own and what it started, undone in the end whatever happens. */
async function inFolder<T>(
  folder: string,
  options: Pick<Bench, 'small' | 'say'> & { readonly keep: boolean; readonly cleanup: Cleanup },
  work: (bench: Bench) => Promise<T>,
): Promise<T> {
  const data = takeDataFolder(folder)
  const ends: (() => Promise<void> | void)[] = []
  let ending: Promise<void> | null = null
  const end = (): Promise<void> => {
    ending ??= (async () => {
      for (const one of ends.reverse()) await one()
      if (!options.keep) data.remove()
    })()
    return ending
  }
  options.cleanup.add(end)
  try {
    return await work({ data, small: options.small, say: options.say, defer: (one) => void ends.push(one) })
  } finally {
    await end()
  }
}

async function bench(cleanup: Cleanup): Promise<number> {
  const [name, ...rest] = process.argv.slice(2)
  const named = name !== undefined && !name.startsWith('-')
  const options = readOptions(named ? rest : process.argv.slice(2), flags)
  if (options.has('help') || !named) {
    console.log(helpText(usage, flags))
    return options.has('help') ? 0 : 1
  }
  const chosen = name === 'all' ? Object.keys(benchmarks) : [name]
  for (const one of chosen)
    if (!Object.hasOwn(benchmarks, one))
      throw new SetupError(
        `"${one}" is no benchmark; there are ${Object.keys(benchmarks).join(', ')} and all`,
      )

  const json = options.has('json')
  const say = (text: string): void => void process.stderr.write(`${text}\n`)
  const show = json ? say : (text: string): void => console.log(text)
  const machine = describeMachine()
  show(machineLine(machine))

  const base = mkdtempSync(path.join(tmpdir(), 'killswitch-bench-'))
  const keep = options.has('keep')
  const common = { keep, cleanup, small: options.has('small') }
  cleanup.add(() => (keep ? say(`kept: ${base}`) : rmSync(base, { recursive: true, force: true })))

  const results: Record<string, { runs: number; figures: Readonly<Record<string, Figure>> }> = {}
  for (const one of chosen) {
    const benchmark = benchmarks[one] as Benchmark
    const runs = options.has('runs') ? options.number('runs') : benchmark.runs
    const folder = path.join(base, one)
    const sayOne = (text: string): void => say(`${one}: ${text}`)
    const had = await inFolder(path.join(folder, 'shared'), { ...common, say: sayOne }, async (shared) => {
      const once = await benchmark.prepare(shared)
      const all: Readonly<Record<string, number>>[] = []
      for (let number = 1; number <= runs; number += 1) {
        const started = performance.now()
        const stolen = watchStolenTime()
        const sayRun = (text: string): void => say(`${one} ${number}/${runs}: ${text}`)
        all.push(await inFolder(path.join(folder, String(number)), { ...common, say: sayRun }, once))
        sayRun(
          `done in ${((performance.now() - started) / 1000).toFixed(0)} s, ${stolen().toFixed(1)} % of the processor taken by others on this host`,
        )
      }
      return all
    })
    const figures = summarise(benchmark.figures, had)
    results[one] = { runs, figures }
    show(`\n${one}: ${benchmark.about} (${runs === 1 ? 'one run' : `median of ${runs} runs, least to most`})`)
    for (const line of figureLines(figures)) show(line)
  }
  const missed = Object.entries(results).flatMap(([one, { figures }]) => missedFloors(one, figures))
  if (options.has('check')) for (const line of missed) say(line)
  if (json) console.log(JSON.stringify({ machine, benchmarks: results, missed }))
  return options.has('check') && missed.length > 0 ? 1 : 0
}

await runScript('bench', bench)
