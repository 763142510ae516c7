// Killswitch on one machine: a chain, the contract, a relayer that serves the dApp, a guarded service and agents of two
// wallets that call it.
import path from 'node:path'
import process from 'node:process'
import { takeDataFolder } from './lib/dataFolder.ts'
import { waitForConfirmation } from './lib/demoKills.ts'
import { createChangeLog, type FleetLine, fleetLines } from './lib/liveView.ts'
import { type LocalWorld, startLocalWorld } from './lib/localWorld.ts'
import type { AgentsMessage, AgentView, Enforced, ServiceMessage } from './lib/messages.ts'
import { claimPorts } from './lib/ports.ts'
import { type Flags, helpText, readOptions } from './lib/readOptions.ts'
import { type Cleanup, runScript } from './lib/runScript.ts'
import { createScreen } from './lib/screen.ts'

const port = { value: 'number', most: 65_535 } as const
const flags = {
  agents: {
    value: 'number',
    fallback: 6,
    least: 2,
    most: 200,
    help: 'how many agents, half of them per wallet',
  },
  'port-chain': { ...port, fallback: 8545, help: 'JSON-RPC of the local chain; 0 takes any free port' },
  'port-relayer': { ...port, fallback: 8700, help: "the relayer's public listener" },
  'port-mtls': { ...port, fallback: 8701, help: "the relayer's mutual TLS listener" },
  'port-service': { ...port, fallback: 8702, help: 'the guarded demo service' },
  data: { value: 'folder', fallback: '.killswitch', help: 'keys, logs and the store; removed at the end' },
  keep: { help: 'leave them there at the end' },
  help: { help: 'show this' },
} as const satisfies Flags

/** Seconds: short, so that a resume can be tried; a cool-down is never shorter than an SVID lives. */
const svidLife = 60
/** Between two calls of an agent, in ms. */
const callInterval = 250
/** Latest events that the live view shows below the fleet. */
const shownEvents = 5

async function start(cleanup: Cleanup): Promise<number> {
  const options = readOptions(process.argv.slice(2), flags)
  if (options.has('help')) {
    console.log(helpText('npm start -- [options]', flags))
    return 0
  }
  const wanted = (name: string, what: string) => ({ what, option: `--${name}`, port: options.number(name) })
  const ports = await claimPorts({
    chain: wanted('port-chain', 'the local chain'),
    relayer: wanted('port-relayer', "the relayer's public listener"),
    mtls: wanted('port-mtls', "the relayer's mutual TLS listener"),
    service: wanted('port-service', 'the demo service'),
  })
  const data = takeDataFolder(path.resolve(options.text('data')))
  cleanup.add(() => {
    if (options.has('keep')) console.log(`kept: ${data.path}`)
    else data.remove()
  })
  const bob = Math.floor(options.number('agents') / 2)
  const starting = startLocalWorld({
    data,
    ports,
    services: 1,
    agents: { alice: options.number('agents') - bob, bob },
    agentProcesses: 1,
    callInterval,
    record: false,
    returning: true,
    svidLife,
    app: true,
    progress: (text) => console.log(`${text} ...`),
  })
  cleanup.add(starting.stop)
  const world = await starting.world
  const { keyFiles } = world.wallets
  data.writeSecret(
    'local.json',
    `${JSON.stringify(
      {
        rpc: world.chain.rpc,
        relayer: world.relayer.url,
        contract: world.deployment.contract,
        chainId: world.deployment.chainId,
        fromBlock: Number(world.startBlock),
        relayerFeedKey: world.relayer.relayer,
        contracts: world.contracts,
        keyFiles: { alice: keyFiles.alice, bob: keyFiles.bob },
      },
      null,
      2,
    )}\n`,
  )
  console.log(introduction(world, data.file('local.json')))
  await Promise.race([showFleet(world, cleanup), new Promise<never>((_, reject) => world.onLoss(reject))])
  return 0
}

function introduction(world: LocalWorld, config: string): string {
  const { alice, bob } = world.wallets.accounts
  const [agent] = world.fleet.alice
  // The CLI finds the default file by itself.
  const relative = path.relative(process.cwd(), config)
  const shown = relative.startsWith('..') ? config : relative
  const option = shown === path.join('.killswitch', 'local.json') ? '' : ` --config ${shown}`
  const command = (text: string): string => `  npx killswitch ${text}${option}`
  return [
    '',
    `dApp       ${world.relayer.url}/, with a development wallet for alice, bob and carol`,
    `chain      ${world.chain.rpc} (id ${world.deployment.chainId}), a block every second`,
    `contract   ${world.deployment.contract}`,
    `relayer    ${world.relayer.url}, API at ${world.relayer.url}/docs; mutual TLS ${world.relayer.mtlsUrl}`,
    `votes      token ${world.contracts.token}: alice 40 %, bob 25 %, carol 10 % not delegated; policies at ${world.relayer.url}/policies`,
    `service    ${world.services[0]?.url}, refuses killed agents`,
    `wallets    alice ${alice.address}, bob ${bob.address}`,
    '',
    'Try, in another terminal:',
    command(`kill ${agent?.spiffeId}`),
    command('kill --all --as alice'),
    command('status'),
    command('agents'),
    command(`resume ${agent?.spiffeId} --request`),
    command(`resume ${agent?.spiffeId}`),
    `A resume is requested first and executed ${svidLife} s later. Ctrl-C stops everything.`,
    '',
  ].join('\n')
}

/** Shows the fleet until the signal to stop. */
function showFleet(world: LocalWorld, { stopped, add }: Cleanup): Promise<void> {
  const wallets = new Map(
    Object.entries(world.fleet).flatMap(([wallet, agents]) =>
      agents.map(({ spiffeId }) => [spiffeId, wallet] as const),
    ),
  )
  const views = new Map<string, AgentView>()
  const events: string[] = []
  const lines = (): FleetLine[] =>
    [...wallets].map(([spiffeId, wallet]) => ({
      ...(views.get(spiffeId) ?? { spiffeId, state: 'starting', perSecond: 0, last: '' }),
      wallet,
    }))
  const { stdout } = process
  const colors = stdout.isTTY && process.env.NO_COLOR === undefined
  const screen = stdout.isTTY ? createScreen(stdout) : null
  if (screen !== null) add(screen.close)
  const changes = createChangeLog()

  const show = (): void => {
    if (stopped.aborted) return
    if (screen === null) for (const line of changes(lines())) console.log(line)
    else screen.draw([...fleetLines(lines(), { columns: stdout.columns, colors }), '', ...events])
  }
  const tell = (text: string): void => {
    const line = `${new Date().toLocaleTimeString('en-GB')}  ${text}`
    events.push(line)
    if (events.length > shownEvents) events.shift()
    if (screen === null) console.log(line)
    show()
  }
  for (const child of world.agentProcesses) {
    child.process.on('message', (message: AgentsMessage) => {
      if (message.type !== 'view') return
      for (const view of message.agents) views.set(view.spiffeId, view)
      show()
    })
  }
  const tellOfKill = async (kill: Enforced): Promise<void> => {
    tell(`kill of ${kill.target}: connections closed: ${kill.closedConnections}`)
    const { durableAfter, confirmedAfter } = await waitForConfirmation(world, kill.killId, [])
    const ms = (time: number | null): string => (time === null ? 'not yet' : `${time.toFixed(1)} ms`)
    tell(
      `kill of ${kill.target}: durable ${ms(durableAfter)}, confirmed ${ms(confirmedAfter)} after the relayer saw it`,
    )
  }
  for (const { child } of world.services) {
    child.process.on('message', (message: ServiceMessage) => {
      if (message.type === 'enforced') tellOfKill(message).catch(() => {})
    })
  }
  return new Promise((resolve) => stopped.addEventListener('abort', () => resolve()))
}

await runScript('start', start)
