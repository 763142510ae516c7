// Kills a real relayer again and again while it works, and checks after each death that nothing that it promised is
// lost and nothing is done twice (test/durability). The same rounds as in npm test, as many as you like.
import process from 'node:process'
import { runCrashRounds } from '../test/durability/support/crashRounds.ts'
import { helpText, readOptions } from './lib/readOptions.ts'
import { runScript } from './lib/runScript.ts'

const flags = {
  rounds: {
    value: 'number',
    fallback: 1_000,
    least: 1,
    most: 1_000_000,
    help: 'how often the relayer is killed',
  },
  seed: {
    value: 'number',
    fallback: Date.now() % 1_000_000,
    help: 'chooses the orders and where it is killed',
  },
  help: { help: 'show this' },
} as const

await runScript('crash', async (cleanup) => {
  let stop = async () => {}
  cleanup.add(() => stop())
  const options = readOptions(process.argv.slice(2), flags)
  if (options.has('help')) {
    process.stdout.write(`${helpText('npm run crash -- [options]', flags)}\n`)
    return 0
  }
  const rounds = options.number('rounds')
  const seed = options.number('seed')
  const started = performance.now()
  process.stdout.write(`crash: ${rounds} rounds, seed ${seed}\n`)
  const report = await runCrashRounds({
    rounds,
    seed,
    onStarted(end) {
      stop = end
    },
    onRound(round, how) {
      const seconds = Math.round((performance.now() - started) / 1000)
      if (process.stdout.isTTY || (round + 1) % 25 === 0)
        process.stdout.write(`round ${round + 1} of ${rounds}, ${seconds} s: ${how}\n`)
    },
  })
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  process.stdout.write(`crash: ${rounds} rounds passed, seed ${seed}\n`)
  return 0
})
