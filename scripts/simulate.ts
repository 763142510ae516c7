// Plays seeded histories of chain, relayers and enforcement points, and checks each against the truth. A failing seed is
// printed with the few steps that it needs; exit code 0 only when none failed.
//   npm run simulate -- --histories 10000
//   npm run simulate -- --seed 7 --trace
import os from 'node:os'
import process from 'node:process'
import { Worker } from 'node:worker_threads'
import { type Plan, planOf, play } from '../test/simulation/history.ts'
import { allRules, type Rule } from '../test/simulation/rules.ts'
import { shrink } from '../test/simulation/shrink.ts'
import type { Played } from '../test/simulation/worker.ts'
import { type Flags, helpText, readOptions } from './lib/readOptions.ts'
import { type Cleanup, runScript } from './lib/runScript.ts'
import { SetupError } from './lib/setupError.ts'

const flags = {
  histories: { value: 'number', fallback: 1_000, least: 1, help: 'how many' },
  from: { value: 'number', fallback: 1, help: 'the first seed' },
  seed: { value: 'number', help: 'play this one alone' },
  trace: { help: 'with --seed: print what happens' },
  shrink: { help: 'with --seed: leave out the steps that the failure does not need' },
  without: { value: 'text', fallback: '', help: 'leave out this rule, by the beginning of its name' },
  workers: {
    value: 'number',
    fallback: os.availableParallelism(),
    least: 1,
    most: 256,
    help: 'how many histories at a time',
  },
  help: { help: 'show this' },
} as const satisfies Flags

/** Failing seeds that are shrunk and shown; more are only counted. */
const shown = 5

function ruleOf(text: string): readonly Rule[] {
  if (text === '') return []
  const found = allRules.filter((rule) => rule.startsWith(text))
  if (found.length === 1) return found
  throw new SetupError(
    `--without "${text}": there are ${found.length} such rules among\n  ${allRules.join('\n  ')}`,
  )
}

const stepsOf = ({ steps }: Plan): string => steps.map(({ kind, seed }) => `    ${kind} (${seed})`).join('\n')

/** Shrinks a failing seed and prints it. */
async function show(seed: number, without: ReadonlySet<Rule>): Promise<void> {
  const plan = planOf(seed)
  const failure = await play(plan, without)
  if (failure === null) return console.log(`  seed ${seed} passes when it is played alone`)
  const short = await shrink(plan, failure, without)
  console.log(`  ${short.failure.error.message}\n  ${short.plan.steps.length} steps of ${plan.steps.length}:`)
  console.log(`${stepsOf(short.plan)}\n  npm run simulate -- --seed ${seed} --shrink --trace`)
}

async function playOne(
  seed: number,
  trace: boolean,
  isShort: boolean,
  without: ReadonlySet<Rule>,
): Promise<number> {
  let plan = planOf(seed)
  if (isShort) {
    const failure = await play(plan, without)
    if (failure !== null) plan = (await shrink(plan, failure, without)).plan
  }
  const failure = await play(plan, without, trace ? (line) => console.log(line) : null)
  console.log(
    failure === null
      ? `seed ${seed} passes`
      : `seed ${seed} fails after step ${failure.step}: ${failure.error.message}`,
  )
  return failure === null ? 0 : 1
}

async function simulate({ add, stopped }: Cleanup): Promise<number> {
  const options = readOptions(process.argv.slice(2), flags)
  if (options.has('help')) {
    console.log(helpText('npm run simulate -- [options]', flags))
    return 0
  }
  const without = ruleOf(options.text('without'))
  if (options.has('seed'))
    return playOne(options.number('seed'), options.has('trace'), options.has('shrink'), new Set(without))

  const from = options.number('from')
  const to = from + options.number('histories')
  const workers = Math.min(options.number('workers'), to - from)
  const started = performance.now()
  const failures = new Map<string, number[]>()
  let played = 0
  let failed = 0
  const progress = () => {
    const seconds = (performance.now() - started) / 1000
    const rate = (played / seconds).toFixed(1)
    return `${played} of ${to - from} histories, ${failed} failed, ${rate}/s`
  }
  const timer = setInterval(() => console.error(progress()), 10_000)
  add(() => clearInterval(timer))
  await Promise.all(
    Array.from({ length: workers }, (_, i) => {
      const worker = new Worker(new URL('../test/simulation/worker.ts', import.meta.url), {
        workerData: { from: from + i, to, every: workers, without },
      })
      add(() => void worker.terminate())
      return new Promise<void>((resolve, reject) => {
        worker.on('message', ({ seed, failure }: Played) => {
          played += 1
          if (failure === null) return
          failed += 1
          const seeds = failures.get(failure.invariant) ?? []
          failures.set(failure.invariant, [...seeds, seed])
          console.log(`seed ${seed} fails after step ${failure.step}: ${failure.message}`)
        })
        worker.on('error', reject)
        worker.on('exit', () => resolve())
      })
    }),
  )
  clearInterval(timer)
  console.log(progress())
  const worth = [...failures.values()].flatMap((seeds) => seeds.slice(0, shown)).slice(0, shown)
  for (const seed of worth) {
    if (stopped.aborted) break
    console.log(`\nseed ${seed}`)
    await show(seed, new Set(without))
  }
  for (const [invariant, seeds] of failures) console.log(`${seeds.length} × ${invariant}: ${seeds.join(' ')}`)
  return failed === 0 ? 0 : 1
}

await runScript('simulate', simulate)
