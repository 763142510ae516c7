import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { encodeFunctionData } from 'viem'
import { killSwitchAbi } from '../../../protocol/generated/killSwitchAbi.ts'
import { killOrderDigest } from '../../../protocol/order.ts'
import { agentTarget, ownerTarget, Scope } from '../../../protocol/scope.ts'
import { openOperatorSecret } from '../../../relayer/identity/operatorSecret.ts'
import { signStatement } from '../../../relayer/identity/operatorStatement.ts'
import { type KillRecord, killState } from '../../../relayer/kill/record.ts'
import {
  accounts,
  orderFor,
  orderJson,
  signOrder,
  startChain,
  type TestAgent,
  trustDomain,
} from '../../relayer/world.ts'
import { createChainView, rpc } from './chainView.ts'
import { createFeedWatch, type FeedWatch } from './feedWatch.ts'
import { gasKeyOf } from './gasKey.ts'
import { createRandom, type Random } from './random.ts'
import { type RelayerAddress, type RelayerProcess, spawnRelayer } from './relayerProcess.ts'
import { type StoreView, viewStore } from './storeView.ts'
import { acknowledge, attest, enrol, type Point, post, serialIn } from './workload.ts'

/** Rounds over one chain and one data folder; then everything is settled and a new episode begins. */
const roundsPerEpisode = 40
/** Enough that no agent has more than 16 open orders, beyond which another is answered with the latest of them. */
const agentsPerEpisode = 24
/** Blocks below the head that count as final; reorgs stay above. */
const grantDepth = 3
const point = `spiffe://${trustDomain}/service/payments`

/** Where a relayer can be killed; how often a fault-free round crosses each is learnt while running. */
const startPlaces = ['start:await', 'start:store', 'start:file'] as const
const roadPlaces = ['road:await', 'road:store', 'road:socket'] as const
const places = [...startPlaces, ...roadPlaces]
type Place = (typeof places)[number]

export type CrashReport = {
  readonly rounds: number
  /** Processes that were killed, by the place; `idle` are those that got through their round first. */
  readonly kills: Readonly<Record<Place | 'idle', number>>
  readonly ordersAcknowledged: number
  readonly killsPublished: number
  readonly svidsIssued: number
  readonly acknowledgements: number
}

/** What was promised to the outside and must be found again after every crash. */
type Promises = {
  /** Kill by order digest. */
  readonly orders: Map<string, string>
  readonly bodies: { readonly digest: string; readonly route: string; readonly body: object }[]
  /** When each expires, in ms, by serial number: the store forgets those that have. */
  readonly svids: Map<string, number>
  acknowledged: { readonly epoch: string; readonly number: number } | null
}

/**
 * Kills the real relayer again and again, at places that the seed chooses, while it is sent orders and transactions,
 * and checks after each death that nothing promised is lost and nothing is done twice.
 * @throws naming the seed and the round
 */
export async function runCrashRounds(options: {
  readonly rounds: number
  readonly seed: number
  readonly onRound?: (round: number, how: string) => void
  /** Told how to end what runs, each time something is started. */
  readonly onStarted?: (stop: () => Promise<void>) => void
}): Promise<CrashReport> {
  const { rounds, seed } = options
  const random = createRandom(seed)
  const total = { ordersAcknowledged: 0, killsPublished: 0, svidsIssued: 0, acknowledgements: 0 }
  const kills = Object.fromEntries([...places, 'idle'].map((place) => [place, 0])) as Record<
    Place | 'idle',
    number
  >
  const reach = new Map<Place, number>(
    places.map((place) => [place, place === 'start:file' ? 40 : place.endsWith('await') ? 2_000 : 200]),
  )
  const cache = mkdtempSync(path.join(tmpdir(), 'killswitch-crash-cache-'))
  try {
    for (let round = 0; round < rounds; ) {
      const episode = await startEpisode(random, cache)
      options.onStarted?.(episode.stop)
      try {
        for (let i = 0; i < roundsPerEpisode && round < rounds; i += 1, round += 1) {
          // The very first start of a folder makes keys and tables: it is what start crashes are most about.
          const place = random.pick<Place>(i === 0 || random.chance(0.25) ? startPlaces : roadPlaces)
          const most = reach.get(place) as number
          const at = random.integer(1, most)
          try {
            const died = await episode.round(`${place}:${at}`)
            kills[died ? place : 'idle'] += 1
            // Where a round ends before the crossing, it has fewer; where not, it may have more.
            reach.set(place, died ? Math.ceil(Math.max(most, at * 1.2)) : Math.max(10, Math.ceil(at * 0.8)))
            options.onRound?.(round, `${place}:${at}${died ? '' : ' not reached'}`)
          } catch (error) {
            throw new Error(
              `seed ${seed}, round ${round}, killed at ${place}:${at}: ${(error as Error).message}`,
              {
                cause: error,
              },
            )
          }
        }
        try {
          await episode.settle()
        } catch (error) {
          throw new Error(`seed ${seed}, settling before round ${round}: ${(error as Error).message}`, {
            cause: error,
          })
        }
        const { promises, watch } = episode
        total.ordersAcknowledged += promises.orders.size
        total.svidsIssued += promises.svids.size
        total.acknowledgements += episode.acknowledgements()
        total.killsPublished += watch()?.published.filter(({ type }) => type === 'kill').length ?? 0
      } finally {
        await episode.stop()
      }
    }
  } finally {
    rmSync(cache, { recursive: true, force: true })
  }
  return { rounds, kills, ...total }
}

/** A relayer that neither starts nor ends says why. */
async function ready(child: RelayerProcess): Promise<RelayerAddress | null> {
  const late = AbortSignal.timeout(60_000)
  const address = await Promise.race([
    child.ready,
    new Promise<'late'>((resolve) => late.addEventListener('abort', () => resolve('late'))),
  ])
  if (address !== 'late') return address
  child.kill('SIGKILL')
  throw new Error(`the relayer was not ready within a minute: ${(await child.ended).said}`)
}

async function startEpisode(random: Random, cache: string) {
  const chain = await startChain()
  const view = createChainView(chain.rpc, chain.contract)
  const data = mkdtempSync(path.join(tmpdir(), 'killswitch-crash-'))
  const gasKeyFile = path.join(data, 'gas.key')
  writeFileSync(gasKeyFile, gasKeyOf(6), { mode: 0o600 })
  const agents: TestAgent[] = []
  for (let i = 0; i < agentsPerEpisode; i += 1) agents.push(await chain.register(accounts.alice))
  // Never killed: it goes on being issued SVIDs.
  const spared = await chain.register(accounts.guardian)
  const bobs = await chain.register(accounts.bob)
  const mine = (count: number) => rpc(chain.rpc, 'anvil_mine', [`0x${count.toString(16)}`])
  await mine(grantDepth)

  /** Acknowledgements since the last that was answered: each may have been written although its answer did not come. */
  let unanswered: NonNullable<Promises['acknowledged']>[] = []
  const promises: Promises = { orders: new Map(), bodies: [], svids: new Map(), acknowledged: null }
  let watch: FeedWatch | null = null
  let enrolled: Point | null = null
  let acknowledgements = 0
  let running: RelayerProcess | null = null
  let following: Promise<void> = Promise.resolve()

  const spawn = (crashPoint?: string): RelayerProcess => {
    running = spawnRelayer({
      data,
      ...(crashPoint === undefined ? {} : { crashPoint }),
      environment: { NODE_COMPILE_CACHE: cache },
      args: {
        rpc: chain.rpc,
        contract: chain.contract,
        'chain-id': chain.deployment.chainId,
        'grant-point': grantDepth,
        'trust-domain': trustDomain,
        'gas-key-file': gasKeyFile,
        'gas-budget': 100_000,
        'max-blind': 3600,
        'poll-interval': 50,
        'log-level': 'warn',
      },
    })
    return running
  }

  /** Whether it lands does not matter here: the chain is asked what it holds. */
  const killByTransaction = () =>
    rpc(chain.rpc, 'eth_sendTransaction', [
      {
        from: accounts.bob.address,
        to: chain.contract,
        data: encodeFunctionData({
          abi: killSwitchAbi,
          functionName: 'kill',
          args: [Scope.Agent, agentTarget(bobs.uuid).subject, 1, 'by transaction'],
        }),
      },
    ])

  /** anvil loses blocks for good when it mines a transaction during a reorg, also one that it had before. */
  const fork = async (depth: number): Promise<void> => {
    await rpc(chain.rpc, 'evm_setAutomine', [false])
    // Blocks are made one after the other: once this one is there nothing is being mined.
    await mine(1)
    await rpc(chain.rpc, 'anvil_reorg', [depth, []])
    await rpc(chain.rpc, 'evm_setAutomine', [true])
  }

  const newOrder = async () => {
    const agent = random.pick(agents as [TestAgent, ...TestAgent[]])
    const whole = random.chance(0.08)
    const order = orderFor(
      accounts.alice,
      whole ? ownerTarget(accounts.alice.address) : agentTarget(agent.uuid),
      { text: `order ${promises.bodies.length}`, deadline: BigInt(Math.floor(Date.now() / 1000) + 86_000) },
    )
    const body = {
      ...(whole ? { wallet: accounts.alice.address } : { spiffeId: agent.spiffeId }),
      reason: order.reason,
      order: orderJson(order),
      signature: await signOrder(accounts.alice, chain.deployment, order),
    }
    const sent = {
      digest: killOrderDigest(chain.deployment, order),
      route: whole ? '/api/kill/emergency' : '/api/kill',
      body,
    }
    promises.bodies.push(sent)
    return sent
  }

  const send = async (url: string, { digest, route, body }: Promises['bodies'][number]): Promise<void> => {
    const answer = await post(url, route, body)
    if (answer === null) return
    assert.equal(answer.status, 202, `an order was answered ${JSON.stringify(answer)}`)
    const killId = String(answer.body.killId)
    assert.equal(promises.orders.get(digest) ?? killId, killId, 'one order was answered with two kills')
    promises.orders.set(digest, killId)
  }

  const work = async (address: RelayerAddress): Promise<void> => {
    const { url, mtlsUrl } = address
    watch ??= createFeedWatch(address.relayer, chain.deployment)
    const { entered, ended } = watch.follow(url)
    following = ended
    await entered
    const fresh = [await newOrder(), await newOrder()]
    const again = random.pick(promises.bodies as [Promises['bodies'][number], ...Promises['bodies']])
    const killsByTransaction = random.integer(0, 2)
    const reorg = random.chance(0.15)
    const enrolling = enrolled === null && random.chance(0.5)
    await Promise.all([
      ...[...fresh, fresh[0] as (typeof fresh)[0], again].map((order) => send(url, order)),
      (async () => {
        for (let i = 0; i < killsByTransaction; i += 1) await killByTransaction()
        if (reorg) await fork(random.integer(1, grantDepth - 1))
        await mine(1)
      })(),
      attest(address, spared).then((answer) => {
        if (answer?.status === 200) promises.svids.set(serialIn(answer.body), Number(answer.body.expiresAt))
      }),
    ])
    if (enrolling) {
      const now = Date.now()
      const statement = {
        action: 'enrol',
        id: `${now}`,
        spiffeId: point,
        issuedAt: now,
        expiresAt: now + 60_000,
      } as const
      enrolled = await enrol(url, signStatement(openOperatorSecret(data), statement), point).catch(() => null)
    }
    const position = watch.reader.position()
    if (enrolled !== null && position !== null) {
      unanswered.push(position)
      const status = await acknowledge(mtlsUrl, enrolled, position.epoch, position.number)
      if (status === 204) {
        acknowledgements += 1
        promises.acknowledged = position
        unanswered = []
      }
    }
    await send(url, await newOrder())
    await mine(1)
  }

  /** What was promised is in the store; what is in it is told by the chain and the feed. */
  const checkPromises = async (): Promise<StoreView | null> => {
    const store = await viewStore(data)
    if (store === null) {
      assert.equal(promises.orders.size + (watch?.published.length ?? 0), 0, 'the store is gone')
      return null
    }
    const byDigest = new Map<string, KillRecord>()
    for (const kill of store.kills.values()) if (kill.digest !== null) byDigest.set(kill.digest, kill)
    for (const [digest, killId] of promises.orders)
      assert.equal(byDigest.get(digest)?.id, killId, `order ${digest} was acknowledged as kill ${killId}`)
    for (const { epoch, number, hash, type, row } of watch?.published ?? []) {
      assert.deepEqual(store.messages.get(number), { epoch, hash }, `feed message ${number} was published`)
      if (type === 'kill') assert.ok(store.kills.has(row.killId), `kill ${row.killId} was published`)
    }
    for (const [serial, expiresAt] of promises.svids)
      assert.ok(expiresAt < Date.now() || store.svids.has(serial), `SVID ${serial} was issued`)
    if (promises.acknowledged !== null) {
      const { epoch, number } = promises.acknowledged
      const stored = store.acknowledged.get(point)
      const isUnanswered = unanswered.some(
        (one) => one.epoch === stored?.epoch && one.number === stored.number,
      )
      assert.ok(
        isUnanswered || (stored?.epoch === epoch && stored.number >= number),
        `message ${number} was acknowledged`,
      )
    }
    await view.check(store)
    return store
  }

  return {
    promises,
    watch: () => watch,
    acknowledgements: () => acknowledgements,

    /** One life of a relayer. @returns whether it died where it should */
    async round(crashPoint: string): Promise<boolean> {
      const child = spawn(crashPoint)
      const address = await ready(child)
      if (address !== null) await work(address)
      const died = await Promise.race([
        child.ended.then(() => true),
        new Promise<false>((resolve) => setTimeout(resolve, 20, false)),
      ])
      child.kill('SIGKILL')
      const { how, said } = await child.ended
      assert.equal(how, 'SIGKILL', `the relayer ended by itself: ${said}`)
      await following
      await checkPromises()
      return died
    },

    /** Without further crashes every order ends on chain, once, and every kill is final or withdrawn. */
    async settle(): Promise<void> {
      const child = spawn()
      const address = await ready(child)
      if (address === null) throw new Error(`the relayer does not start: ${(await child.ended).said}`)
      const deadline = performance.now() + 60_000
      for (;;) {
        await mine(1)
        const { kills } = (await (await fetch(`${address.url}/kills?limit=1000`)).json()) as {
          kills: readonly { readonly id: string; readonly state: string }[]
        }
        const open = kills.filter(({ state }) => state !== 'final' && state !== 'withdrawn')
        if (open.length === 0) break
        if (performance.now() > deadline) throw new Error(`kills do not end: ${JSON.stringify(open)}`)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      child.kill('SIGTERM')
      const { how, said } = await child.ended
      assert.equal(how, 0, said)
      const store = await checkPromises()
      const landed = (await view.logs()).flatMap(({ event }) =>
        event.type === 'Killed' && event.orderDigest !== null ? [event.orderDigest as string] : [],
      )
      assert.equal(new Set(landed).size, landed.length, 'an order landed twice')
      for (const digest of promises.orders.keys())
        assert.ok(landed.includes(digest), `order ${digest} never landed`)
      for (const kill of store?.kills.values() ?? [])
        assert.ok(['final', 'withdrawn'].includes(killState(kill)), `kill ${kill.id} is ${killState(kill)}`)
    },

    async stop(): Promise<void> {
      running?.kill('SIGKILL')
      await running?.ended
      await chain.stop()
      rmSync(data, { recursive: true, force: true })
    },
  }
}
