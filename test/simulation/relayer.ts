import type { Deployment } from '../../protocol/deployment.ts'
import { deploymentId } from '../../protocol/deployment.ts'
import type { Hex } from '../../protocol/hex.ts'
import { isKilled } from '../../protocol/liveness.ts'
import { type MutableRegistry, stateIn } from '../../protocol/registry.ts'
import type { RevocationRow, SvidClaims } from '../../protocol/revocation.ts'
import { parseSpiffeId } from '../../protocol/spiffeId.ts'
import type { ChainLog } from '../../relayer/chain/chainLog.ts'
import { createFollower } from '../../relayer/chain/follow/follower.ts'
import { type Broadcaster, createBroadcaster } from '../../relayer/feed/broadcaster.ts'
import type { SignedMessage } from '../../relayer/feed/position.ts'
import { createIssuance, type Issuance, issueNotes, proofLife } from '../../relayer/identity/issuance.ts'
import { createPlaces } from '../../relayer/identity/places.ts'
import type { SvidRecord } from '../../relayer/identity/svidRecord.ts'
import type {
  ChainBlock,
  ChainSink,
  OrderSender,
  SignedOrder,
  TransactionKeeper,
} from '../../relayer/kill/chainPort.ts'
import { createKillExecutor, type KillExecutor } from '../../relayer/kill/executor.ts'
import { createForwarder, type Delivery } from '../../relayer/kill/forwarder.ts'
import type { Changes, Journal } from '../../relayer/kill/journalPort.ts'
import { createKillState, type KillState, mayHoldSvid, openKills } from '../../relayer/kill/killState.ts'
import { createLander, signedOrderOf } from '../../relayer/kill/landing/lander.ts'
import { createRebroadcaster } from '../../relayer/kill/landing/rebroadcaster.ts'
import { maySight } from '../../relayer/kill/maySight.ts'
import type { KillRecord, StoredOrder } from '../../relayer/kill/record.ts'
import { openDatabase } from '../../relayer/store/database.ts'
import { isKillSettled, readHistory } from '../../relayer/store/history.ts'
import { createJournal } from '../../relayer/store/journal.ts'
import { readPlaces } from '../../relayer/store/places.ts'
import { latestSvids } from '../../relayer/store/svids.ts'
import type { Network } from './chain/connections.ts'
import { faultyStore, type StoreFaults } from './faultyStore.ts'
import { createFeedKey } from './feedKey.ts'
import type { Random } from './random.ts'
import type { Rule } from './rules.ts'
import type { Time } from './time.ts'

/** Durations that all of a deployment share, in ms. */
export type Durations = {
  readonly svidLife: number
  readonly skew: number
  readonly maxBlind: number
  readonly maxStaleness: number
  readonly heartbeat: number
  readonly poll: number
}

/** Where a call stands; one that the journal refused has taken effect, but is not durable. */
export type Phase = 'begins' | 'is durable' | 'is not durable'

/** Told what a relayer does, for the comparison with the truth. */
export type RelayerWatch = {
  /**
   * It serves its feed from here on, after the message `number`, with what its store holds: the blocks from the grant
   * point on, and the digests of open orders.
   */
  started(epoch: string, number: number, blocks: readonly Hex[], orders: readonly Hex[]): void
  took(hashes: readonly Hex[], phase: Phase): void
  /** It has taken kills, by digest or else transaction, of a block that it does not hold. */
  sighted(hash: Hex, ids: readonly Hex[], phase: Phase): void
  dropped(hashes: readonly Hex[]): void
  granted(hash: Hex, phase: Phase): void
  /** All decisions so far are durable. */
  durable(): void
  published(messages: readonly SignedMessage[]): void
  died(): void
}

/** Where SVIDs come from: what a bearer gets, with the claims that it shows. */
export type Svid = SvidRecord & { readonly claims: SvidClaims }

/** One life of the process, from start to crash. */
type Life = {
  readonly executor: KillExecutor
  readonly broadcaster: Broadcaster
  readonly issuance: Issuance
}

export type SimulatedRelayer = {
  readonly name: string
  readonly publicKey: string
  readonly storeFaults: StoreFaults
  /** The process, while it runs and has read its store. */
  readonly life: Life | null
  readonly isRunning: boolean
  start(): void
  crash(): void
  /** A copy of the whole store. */
  backup(): Promise<Backup>
  /** Puts a copy in place of the store; only while the process does not run. */
  restore(backup: Backup): Promise<void>
  takeOrder(signed: SignedOrder): Promise<KillRecord>
  attested(spiffeId: string, key: Hex): Promise<Svid>
  renewed(svid: Svid): Promise<Svid>
  enrolled(spiffeId: string): Promise<Svid>
  auditEntries(): Promise<
    readonly { readonly number: number; readonly json: string; readonly hash: string }[]
  >
  kills(): Promise<readonly KillRecord[]>
  close(): Promise<void>
}

export type Backup = Readonly<Record<string, readonly Record<string, unknown>[]>>

/** The process does not run; nobody answers. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
}
/** The agent's proof is not of the registered key. */
export class WrongKeyError extends Error {
  override readonly name = 'WrongKeyError'
}

const tables = [
  'settings',
  'blocks',
  'chain_events',
  'kills',
  'confirmations',
  'revocation_rows',
  'feed_messages',
  'audit_entries',
  'svids',
  'places',
  'enrolments',
  'workloads',
  'enforcement_points',
] as const
const spki = new Uint8Array()

/** A relayer as relayer/node.ts composes it, without its listeners, on virtual time and a store that can fail. */
export async function createSimulatedRelayer(options: {
  readonly name: string
  readonly deployment: Deployment
  readonly trustDomain: string
  readonly rpcs: readonly string[]
  readonly network: Network
  readonly time: Time
  readonly random: Random
  /** Wall time in ms at virtual time 0, as this machine's clock has it. */
  readonly wallStart: number
  readonly durations: Durations
  /** Names of the relayers that it forwards orders to, and the way there. */
  readonly peers: readonly string[]
  readonly deliver: (peer: string, signed: SignedOrder) => Promise<Delivery>
  /** Null for a relayer without gas. */
  readonly sender: OrderSender | null
  readonly keeper: TransactionKeeper
  readonly verifySignature: (authority: Hex, digest: Hex, signature: Hex) => Promise<boolean>
  readonly without: ReadonlySet<Rule>
  /** Sequence at a block, known or not to be final. */
  readonly registryAt: (hash: Hex) => MutableRegistry | undefined
  readonly watch: RelayerWatch
  readonly trace: (text: () => string) => void
}): Promise<SimulatedRelayer> {
  const { name, deployment, trustDomain, time, random, durations, without, watch, trace } = options
  const db = await openDatabase(':memory:')
  const key = createFeedKey(random.hex(64))
  const storeFaults: StoreFaults = { failing: false, crashAt: null }
  const clock = { wall: () => Math.round(options.wallStart + time.now()), monotonic: time.now }
  const holds = (rule: Rule) => !without.has(rule)
  let life: Life | null = null
  let alive: { on: boolean } | null = null
  const fixedEpoch = random.uuid()

  const crash = () => {
    if (alive === null) return
    alive.on = false
    alive = null
    life = null
    storeFaults.crashAt = null
    trace(() => `${name} dies`)
    watch.died()
  }

  const live = async (self: { on: boolean }): Promise<void> => {
    const schedule = (ms: number, run: () => void) => time.after(ms, () => self.on && run())
    const every = (ms: number, run: () => void) => {
      schedule(ms, () => {
        run()
        every(ms, run)
      })
    }
    const store = faultyStore(db, storeFaults, { isAlive: () => self.on, die: crash })
    const epoch = holds('a start begins a new epoch') ? random.uuid() : fixedEpoch
    const history = await readHistory(store, clock.wall())
    const feed = { relayer: key.publicKey, deployment: deploymentId(deployment), epoch }
    const state = createKillState(history.registry, history.blocks, history.kills, history.rows)
    breakState(state, holds)
    const realJournal = createJournal({
      db: store,
      feed,
      lastMessage: history.lastMessage,
      lastEntry: history.lastEntry,
      sign: key.sign,
      clock,
      onFailure: (error) => trace(() => `${name}: ${(error as Error).message}`),
      onRecovery: (lost) => trace(() => `${name}: its store takes writes again, ${lost} entries are lost`),
    })
    const journal: Journal = {
      async commit(changes) {
        breakChanges(changes, state, holds, headSequence)
        if (!holds('what is acknowledged is durable')) return commitLater(changes)
        const messages = await realJournal.commit(changes)
        if (self.on && realJournal.backlog() === null) watch.durable()
        return messages
      },
    }
    /** Acknowledges before the write; nothing tells whether it succeeds. */
    const commitLater = async (changes: Changes): Promise<readonly SignedMessage[]> => {
      const { announcements, ...rest } = changes
      const messages = announcements === undefined ? [] : await realJournal.commit({ announcements })
      schedule(50, () => void realJournal.commit(rest).catch(() => {}))
      watch.durable()
      return messages
    }
    const hashesOf = (blocks: readonly { readonly hash: Hex }[]) => blocks.map((block) => block.hash)
    const headSequence = (): number => {
      const tip = state.blocks.at(-1)
      return (tip === undefined ? undefined : options.registryAt(tip.hash)?.sequence) ?? 0
    }

    const executor = createKillExecutor({
      state,
      journal,
      epoch,
      lastMessage: history.lastMessage,
      verifySignature: (authority, digest, signature) =>
        holds('an order is signed by its authority')
          ? options.verifySignature(authority, digest, signature)
          : Promise.resolve(true),
      clock,
      newId: random.uuid,
      svidHorizon: holds('a row stands until no older SVID lives') ? durations.svidLife + durations.skew : 0,
      maxBlind: durations.maxBlind,
      publish(messages) {
        if (!self.on) return
        watch.published(messages)
        broadcaster.publish(messages)
      },
      isSettled: (landing) => isKillSettled(store, landing),
      onKill(kill) {
        if (!self.on) return
        rebroadcaster.note(kill)
        if (kill.orphaned !== null) lander?.land(kill)
      },
      onOrder(kill) {
        if (!self.on) return
        lander?.land(kill)
        forwarder.forward(kill)
      },
    })
    const broadcaster = createBroadcaster({
      feed,
      lastMessage: history.lastMessage,
      sign: key.sign,
      clock,
      chainView: executor.chainView,
      rows: executor.rows,
      schedule,
    })
    const { sender } = options
    const lander =
      sender === null
        ? null
        : createLander({
            sender,
            registry: executor.registry,
            kills: executor.kills,
            kill: executor.kill,
            noteSent: executor.noteSent,
            gasBudget: 1_000,
            gasCeiling: 1_000,
            onError(error) {
              throw error
            },
            clock,
          })
    const rebroadcaster = createRebroadcaster({
      keeper: options.keeper,
      kills: executor.kills,
      kill: executor.kill,
      head: () => executor.chainView().head?.number ?? null,
      noteTransaction: executor.noteTransaction,
      clock,
    })
    const forwarder = createForwarder({
      peers: options.peers,
      deliver: (peer, { order }) => options.deliver(peer, signedOrderOf(order as StoredOrder)),
      kill: executor.kill,
      now: clock.wall,
      schedule,
      onRefused: (peer, _, why) => trace(() => `${name}: ${peer} refuses a forwarded order: ${why}`),
    })
    const issuance = createIssuance({
      executor: brokenView(executor, state, holds, () => {
        const tip = state.blocks.at(-1)
        return tip === undefined ? undefined : options.registryAt(tip.hash)
      }),
      deployment,
      trustDomain,
      svidLife: durations.svidLife,
      clock,
      issue: async ({ lifetime }) => ({
        pem: '',
        serial: random.hex(16),
        expiresAt: clock.wall() + lifetime,
      }),
      policyOf: () => null,
      record: (svid, how, policy) => executor.note(issueNotes(svid, how, policy)),
      enrolledSince: () => 0,
      latest: await latestSvids(store, clock.wall() - proofLife),
      // Neither policies nor quotas are followed.
      places: createPlaces({ registry: executor.registry, taken: await readPlaces(store) }),
      resumeCooldownOf: () => 0,
    })
    if (!self.on) return
    life = { executor, broadcaster, issuance }
    watch.started(
      epoch,
      history.lastMessage.number,
      hashesOf(state.blocks),
      openKills(state).flatMap(({ order }) => (order === null ? [] : [order.digest])),
    )

    const killsIn = ({ events }: ChainBlock) =>
      events.flatMap(({ event, txHash }) => (event.type === 'Killed' ? [event.orderDigest ?? txHash] : []))
    const noted = async (note: (phase: Phase) => void, act: () => Promise<void>): Promise<void> => {
      if (!self.on) return
      note('begins')
      await act()
      if (self.on) note(realJournal.backlog() === null ? 'is durable' : 'is not durable')
    }
    const sink: ChainSink = {
      load: executor.load,
      noteHead: executor.noteHead,
      takeBlocks: (blocks) =>
        noted(
          (phase) => watch.took(hashesOf(blocks), phase),
          () => executor.takeBlocks(blocks),
        ),
      async takeFinal(blocks) {
        const last = blocks.at(-1)
        await noted(
          (phase) => {
            watch.took(hashesOf(blocks), phase)
            if (last !== undefined) watch.granted(last.hash, phase)
          },
          () => executor.takeFinal(blocks),
        )
      },
      takeKills: (block) =>
        noted(
          (phase) => watch.sighted(block.hash, killsIn(block), phase),
          () => executor.takeKills(block),
        ),
      async dropBlocks(blocks) {
        watch.dropped(hashesOf(blocks))
        await executor.dropBlocks(blocks)
        if (holds('an orphaned kill is withdrawn only once finality has passed it')) return
        for (const kill of state.kills.values())
          if (kill.orphaned !== null)
            state.kills.set(kill.id, { ...kill, orphaned: { ...kill.orphaned, height: 0 } })
      },
      advanceGrantPoint: (block) =>
        noted(
          (phase) => watch.granted(block.hash, phase),
          () => executor.advanceGrantPoint(block),
        ),
    }
    const tell = (fields: Readonly<Record<string, unknown>>, message: string) =>
      trace(() => `${name}: ${message} ${fields.error instanceof Error ? fields.error.message : ''}`)
    const log: ChainLog = { debug() {}, info: tell, warn: tell, error: tell }
    const follower = createFollower({
      rpcs: options.rpcs,
      deployment,
      startBlock: 1,
      grantPoint: { kind: 'finalized' },
      sink,
      clock,
      pollInterval: durations.poll,
      log,
      mayKill: (event, order) => maySight(executor.registry, event, order, Math.floor(clock.wall() / 1000)),
      maxHeadAge: 2 * durations.maxBlind,
      schedule,
      random: random.next,
      connect: (url) => options.network.connect(url, { clock, schedule, log }),
    })
    every(durations.heartbeat, () => broadcaster.heartbeat())
    every(10_000, () => void executor.tidy().catch(() => {}))
    await follower.start()
    if (!self.on) return
    trace(() => `${name} follows the chain`)
    rebroadcaster.retry()
    every(5_000, rebroadcaster.retry)
    every(1_000, () => {
      if (realJournal.backlog() !== null) void executor.note({}).catch(() => undefined)
    })
    for (const kill of executor.kills()) forwarder.forward(kill)
    if (!holds('an order is sent until it lands')) return
    lander?.retry()
    every(2_000, () => lander?.retry())
  }

  const start = () => {
    if (alive !== null) return
    const self = { on: true }
    alive = self
    trace(() => `${name} starts`)
    live(self).catch((error: unknown) => {
      if (!self.on) return
      // What the operator sees is an exit; a supervisor starts it again.
      trace(() => `${name} ends: ${(error as Error).message}`)
      crash()
      time.after(5_000, start)
    })
  }

  const running = (): Life => {
    if (life === null) throw new UnreachableError(name)
    return life
  }
  /** Settles like the promise while the process lives; else never. */
  const answered = <T>(work: Promise<T>): Promise<T> => {
    const asked = alive
    return new Promise((resolve, reject) => {
      work.then(
        (value) => asked?.on && resolve(value),
        (error: unknown) => asked?.on && reject(error),
      )
    })
  }
  const shown = (svid: SvidRecord): Svid => ({
    ...svid,
    claims: {
      spiffeId: parseSpiffeId(svid.spiffeId),
      owner: svid.owner,
      deployment: deploymentId(deployment),
      generation: svid.generation,
    },
  })

  return {
    name,
    publicKey: key.publicKey,
    storeFaults,
    get life() {
      return life
    },
    get isRunning() {
      return alive !== null
    },
    start,
    crash,
    async backup() {
      const copies: [string, Record<string, unknown>[]][] = []
      for (const table of tables) copies.push([table, await db.selectFrom(table).selectAll().execute()])
      return Object.fromEntries(copies)
    },
    async restore(backup) {
      for (const table of tables) {
        await db.deleteFrom(table).execute()
        for (const row of backup[table] ?? [])
          await db
            .insertInto(table)
            .values(row as never)
            .execute()
      }
    },
    takeOrder: async (signed) => {
      const { executor } = running()
      const order = holds('an expired order is refused')
        ? signed.order
        : {
            ...signed.order,
            deadline: BigInt(Math.floor(clock.wall() / 1000) + 60),
            issuedAt: signed.order.issuedAt,
          }
      return answered(executor.takeOrder({ ...signed, order }))
    },
    attested: async (spiffeId, agentKey) => {
      const { issuance } = running()
      if (issuance.keyOf(spiffeId) !== agentKey) throw new WrongKeyError(spiffeId)
      return shown(await answered(issuance.attested(spiffeId, spki)))
    },
    renewed: async (svid) => shown(await answered(running().issuance.renewed(svid, spki))),
    enrolled: async (spiffeId) => shown(await answered(running().issuance.enrolled(spiffeId, spki))),
    auditEntries: () => db.selectFrom('audit_entries').selectAll().orderBy('number').execute(),
    kills: async () =>
      (await db.selectFrom('kills').select('record').execute()).map(
        ({ record }) => JSON.parse(record) as KillRecord,
      ),
    close: () => db.destroy(),
  }
}

type Holds = (rule: Rule) => boolean

/** Leaves rules out of what the kill road remembers. */
function breakState(state: KillState, holds: Holds): void {
  if (!holds('the identical order is answered with its record')) state.byDigest.get = () => undefined
  if (!holds('an order has a nonce of its own')) {
    state.nonces.get = () => undefined
    state.registry.landedNonces.has = () => false
  }
  if (!holds('only an authority kills')) state.registry.breakers.has = () => true
  if (!holds('a relayer withdraws a burnt order after the cool-down')) {
    const { burntOrders } = state.registry
    const set = burntOrders.set.bind(burntOrders)
    burntOrders.set = (digest) => set(digest, 0)
  }
  if (!holds('a relayer refuses an order of before a resume')) {
    const { states } = state.registry
    const set = states.set.bind(states)
    states.set = (key, value) => set(key, { ...value, resumeRequestTime: 0 })
  }
}

type MutableRow = { -readonly [K in keyof RevocationRow]: RevocationRow[K] }

/** Leaves rules out of a decision on its way into the journal. Rows are shared with the kill road's own table. */
function breakChanges(changes: Changes, state: KillState, holds: Holds, headSequence: () => number): void {
  const rows = changes.rows as readonly { row: MutableRow }[] | undefined
  for (const { row } of rows ?? []) {
    const kill = state.kills.get(row.killId)
    if (!holds('a kill is enforced from first sight')) row.provisional = false
    if (!holds('a provisional kill counts as infinite') && row.provisional) {
      row.provisional = false
      row.finalSequence = Math.max(row.finalSequence, kill?.landing?.sequence ?? headSequence() + 1)
    }
    if (!holds('a withdrawal leaves the final sequence') && kill?.withdrawn != null) row.finalSequence = 0
  }
}

type View = Pick<KillExecutor, 'registry' | 'mayHoldSvid' | 'chainView' | 'table'>

/** Leaves rules out of what issuing goes by. */
function brokenView(
  executor: KillExecutor,
  state: KillState,
  holds: Holds,
  headRegistry: () => MutableRegistry | undefined,
): View {
  const noSequence = !holds('the generation is that of the grant point')
  const noKeySince = !holds('a renewal needs a generation of the present key')
  const registry = new Proxy(executor.registry, {
    get(target, name) {
      if (name === 'sequence' && noSequence) return headRegistry()?.sequence ?? target.sequence
      if (name === 'agents' && noKeySince)
        return new Map([...target.agents].map(([uuid, agent]) => [uuid, { ...agent, keySince: 0 }]))
      return Reflect.get(target, name) as unknown
    },
  })
  return {
    registry: noSequence || noKeySince ? registry : executor.registry,
    table: executor.table,
    chainView: () =>
      holds('a blind relayer issues nothing')
        ? executor.chainView()
        : { ...executor.chainView(), blind: false },
    mayHoldSvid(agent) {
      if (!holds('a finally killed agent gets no SVID'))
        return mayHoldSvid({ ...state, registry: emptied(state.registry) }, agent)
      if (!holds('a provisionally killed agent gets no SVID'))
        return !isKilled(agent, stateIn(state.registry))
      if (!holds('a resume counts from the grant point on')) {
        const head = headRegistry()
        return head === undefined ? executor.mayHoldSvid(agent) : !isKilled(agent, stateIn(head))
      }
      return executor.mayHoldSvid(agent)
    },
  }
}

const emptied = (registry: MutableRegistry): MutableRegistry => ({ ...registry, states: new Map() })
