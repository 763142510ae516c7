// Measures the published figures (docs/performance.md) and says what they were measured on.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { issue } from '../bench/issue.ts'
import type { Benchmark, BenchRun } from '../bench/lib/benchmark.ts'
import { describeMachine, machineLine } from '../bench/lib/machine.ts'
import { type Figure, figureLines, missedFloors, summarise } from '../bench/lib/report.ts'
import { takeDataFolder } from './lib/dataFolder.ts'
import { type Flags, helpText, readOptions } from './lib/readOptions.ts'
import { type Cleanup, runScript } from './lib/runScript.ts'
import { SetupError } from './lib/setupError.ts'

const benchmarks: Readonly<Record<string, Benchmark>> = { issue }

const flags = {
  runs: { value: 'number', least: 1, most: 100, help: 'how often each is run; the median is judged' },
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

/** A run with a folder of its own and what it started, undone in the end whatever happens. */
async function inFolder<T>(
  folder: string,
  options: { readonly keep: boolean; readonly cleanup: Cleanup },
  run: (parts: Pick<BenchRun, 'data' | 'defer'>) => Promise<T>,
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
    return await run({ data, defer: (one) => void ends.push(one) })
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
  cleanup.add(() => (keep ? say(`kept: ${base}`) : rmSync(base, { recursive: true, force: true })))

  const results: Record<string, { runs: number; figures: Readonly<Record<string, Figure>> }> = {}
  for (const one of chosen) {
    const benchmark = benchmarks[one] as Benchmark
    const runs = options.has('runs') ? options.number('runs') : benchmark.runs
    const shared = path.join(base, one, 'shared')
    mkdirSync(shared, { recursive: true })
    const had: Partial<Record<string, number>>[] = []
    for (let number = 1; number <= runs; number += 1) {
      const started = performance.now()
      const sayRun = (text: string): void => say(`${one} ${number}/${runs}: ${text}`)
      const figures = await inFolder(
        path.join(base, one, String(number)),
        { keep, cleanup },
        ({ data, defer }) => benchmark.run({ number, data, shared, say: sayRun, defer }),
      )
      had.push(figures)
      sayRun(`done in ${((performance.now() - started) / 1000).toFixed(0)} s`)
    }
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
