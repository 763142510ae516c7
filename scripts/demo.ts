// The kill path, unattended: kills one agent by transaction, one by order and the rest of their wallet at once, and
// judges by what enforcers and agents recorded. Exit code 0 only when everything held.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { agentTarget, ownerTarget } from '../protocol/scope.ts'
import { takeDataFolder } from './lib/dataFolder.ts'
import { killByOrder, killByTransaction, waitForConfirmation } from './lib/demoKills.ts'
import { collectRun, recordEnforced } from './lib/demoRecords.ts'
import { demoReport } from './lib/demoReport.ts'
import { judgeDemo } from './lib/judgeDemo.ts'
import { startLocalWorld } from './lib/localWorld.ts'
import { monotonicNow } from './lib/monotonic.ts'
import { type Flags, helpText, readOptions } from './lib/readOptions.ts'
import { type Cleanup, runScript } from './lib/runScript.ts'
import { SetupError } from './lib/setupError.ts'

const flags = {
  agents: {
    value: 'number',
    fallback: 12,
    least: 4,
    most: 1000,
    help: 'how many agents, a third of them of the second wallet',
  },
  enforcers: {
    value: 'number',
    fallback: 2,
    least: 1,
    most: 20,
    help: 'how many guarded services, a process each',
  },
  'agent-processes': {
    value: 'number',
    fallback: 8,
    least: 1,
    most: 1000,
    help: 'over how many processes the agents spread',
  },
  interval: {
    value: 'number',
    fallback: 200,
    least: 5,
    most: 5000,
    help: 'ms between two calls of an agent to a service',
  },
  data: { value: 'folder', help: 'where keys, logs and the store go; otherwise a temporary folder' },
  keep: { help: 'leave them there at the end' },
  json: { help: 'the last line on standard output is one JSON object' },
  help: { help: 'show this' },
} as const satisfies Flags

/** How long agents call undisturbed before the first kill and after each, in ms. */
const calm = 3_000
const settle = 1_200

async function demo(cleanup: Cleanup): Promise<number> {
  const options = readOptions(process.argv.slice(2), flags)
  if (options.has('help')) {
    console.log(helpText('npm run demo -- [options]', flags))
    return 0
  }
  const say = (text: string): void => {
    process.stderr.write(`${text}\n`)
  }
  const temporary = options.has('data') ? null : mkdtempSync(path.join(tmpdir(), 'killswitch-demo-'))
  const data = takeDataFolder(temporary ?? path.resolve(options.text('data')))
  cleanup.add(() => {
    if (options.has('keep')) return say(`kept: ${data.path}`)
    data.remove()
    if (temporary !== null) rmSync(temporary, { recursive: true, force: true })
  })
  const agents = options.number('agents')
  const bob = Math.floor(agents / 3)
  const starting = startLocalWorld({
    data,
    ports: { chain: 0, relayer: 0, mtls: 0, service: 0 },
    services: options.number('enforcers'),
    agents: { alice: agents - bob, bob },
    agentProcesses: options.number('agent-processes'),
    callInterval: options.number('interval'),
    record: true,
    returning: false,
    svidLife: 300,
    progress: say,
  })
  cleanup.add(starting.stop)
  const world = await starting.world
  const lost = new Promise<never>((_, reject) => world.onLoss(reject))
  const enforced = recordEnforced(world.services)
  const { alice } = world.wallets.accounts
  const [first, second, ...rest] = world.fleet.alice
  if (first === undefined || second === undefined) throw new SetupError('--agents is too small')
  const ids = (fleet: readonly { readonly spiffeId: string }[]): string[] =>
    fleet.map(({ spiffeId }) => spiffeId)

  const run = async () => {
    await sleep(calm)
    say(`killing ${first.spiffeId} by transaction`)
    const transaction = await waitForConfirmation(
      world,
      await killByTransaction(world, alice, agentTarget(first.uuid)),
      ids([first]),
    )
    await sleep(settle)
    say(`killing ${second.spiffeId} by signed order`)
    const signed = await waitForConfirmation(
      world,
      await killByOrder(world, alice, agentTarget(second.uuid), { spiffeId: second.spiffeId }),
      ids([second]),
    )
    await sleep(settle)
    say(`killing the ${rest.length} other agents of ${alice.address} by emergency kill`)
    const emergency = await waitForConfirmation(
      world,
      await killByOrder(world, alice, ownerTarget(alice.address), { wallet: alice.address }),
      ids(rest),
    )
    await sleep(settle)
    const endedAt = monotonicNow()
    return { kills: { transaction, signed, emergency }, endedAt, ...(await collectRun(world, enforced)) }
  }
  const verdict = judgeDemo({ ...(await Promise.race([lost, run()])), bystanders: ids(world.fleet.bob) })
  if (options.has('json')) {
    for (const failure of verdict.failures) say(`demo: ${failure}`)
    console.log(JSON.stringify(verdict.kills))
  } else console.log(demoReport(verdict, { bystanders: bob, enforcers: world.services.length }))
  return verdict.failures.length === 0 ? 0 : 1
}

await runScript('demo', demo)
