import { deriveAgentId } from '../../protocol/agentId.ts'
import { type Deployment, deploymentId } from '../../protocol/deployment.ts'
import type { Hex } from '../../protocol/hex.ts'
import { InvalidOrderError, type KillOrder, killOrderDigest } from '../../protocol/order.ts'
import { killRankOf, ownsAgent, type Registry, stateIn } from '../../protocol/registry.ts'
import { Scope, subjectLabel, type Target } from '../../protocol/scope.ts'
import { formatSpiffeId } from '../../protocol/spiffeId.ts'
import { uuidFromAgentId } from '../../protocol/uuid.ts'
import { IssuanceRefusedError } from '../../relayer/identity/issuanceRefused.ts'
import {
  type LandingOutcome,
  OrderNotLandedError,
  type OrderSender,
  type SignedOrder,
  type TransactionKeeper,
  TransactionRefusedError,
} from '../../relayer/kill/chainPort.ts'
import type { Delivery } from '../../relayer/kill/forwarder.ts'
import { JournalFailedError } from '../../relayer/kill/journalPort.ts'
import { OrderRefusedError } from '../../relayer/kill/orderRefused.ts'
import { killState } from '../../relayer/kill/record.ts'
import { ancestorAt, type Block, type Chain, createChain } from './chain/chain.ts'
import { createNetwork } from './chain/connections.ts'
import { type ContractRule, type ContractState, copyOf, execute } from './chain/contract.ts'
import { type ChainNode, createChainNode } from './chain/node.ts'
import { createProducer } from './chain/producer.ts'
import { type Call, signatureOf, type Transaction } from './chain/transaction.ts'
import { DiskFullError } from './faultyStore.ts'
import { createSimulatedPoint, type SimulatedPoint } from './point.ts'
import { createRandom, type Random } from './random.ts'
import {
  createSimulatedRelayer,
  type Durations,
  type SimulatedRelayer,
  type Svid,
  UnreachableError,
  WrongKeyError,
} from './relayer.ts'
import type { Rule } from './rules.ts'
import { createTime } from './time.ts'
import { createTruth, type KnownSvid, Violation } from './truth.ts'

const addressOf = (digits: string): Hex => `0x${digits.repeat(40 / digits.length)}`

/** Everybody with some power, and somebody without any. */
export const people = {
  governance: addressOf('90'),
  council: addressOf('c0'),
  emergencyGovernor: addressOf('e0'),
  owners: [addressOf('a1'), addressOf('a2'), addressOf('a3')],
  guardians: [addressOf('b1'), addressOf('b2')],
  breaker: addressOf('b0'),
  agentWallet: addressOf('d0'),
  stranger: addressOf('f0'),
  gas: addressOf('99'),
} as const
export const agentTypes = ['worker', 'p-2'] as const
const trustDomain = 'sim.test'
const deployment: Deployment = { chainId: 31_337, contract: addressOf('cc') }
/** Unix seconds at virtual time 0. */
const startTime = 1_800_000_000

const durations: Durations = {
  svidLife: 50_000,
  skew: 60_000,
  maxBlind: 10_000,
  maxStaleness: 6_000,
  heartbeat: 2_000,
  poll: 4_000,
}
/** How far a node that is not stuck may be behind, in ms. */
export const maxLag = 4_000
/** Of Breaker, Owner, Council and Governance, in seconds; the least is the life of an SVID. */
const cooldowns = [50, 55, 60, 65] as const

export type Settings = {
  readonly nodes: number
  /** For each relayer: the nodes that it asks, by index, and whether it pays for orders. */
  readonly relayers: readonly { readonly nodes: readonly number[]; readonly gas: boolean }[]
  /** Whether the relayers forward orders to each other. */
  readonly forwards: boolean
  /** For each point: the relayers that it follows, by index. */
  readonly points: readonly (readonly number[])[]
  /** Between blocks, in ms; Infinity where a story makes them itself. */
  readonly blockTime: number
  /** In blocks. */
  readonly finalityLag: number
  /** Probability of a reorg at each block. */
  readonly reorgs: number
}

/** An agent, with the keys that it has had, the latest last. */
export type KnownAgent = { readonly uuid: string; readonly agentType: string; readonly keys: Hex[] }

/** An SVID with who holds it: the key whose possession he proved. */
export type Bearer = {
  svid: KnownSvid
  readonly relayer: SimulatedRelayer
  readonly key: Hex
  readonly uuid: string
}

export type World = Awaited<ReturnType<typeof createWorld>>

/** Chain, nodes, relayers and enforcement points of one history, all driven by one seed. */
export async function createWorld(options: {
  readonly seed: number
  readonly settings: Settings
  readonly without: ReadonlySet<Rule>
  readonly onTrace: ((line: string) => void) | null
}) {
  const { settings, without, onTrace } = options
  const seeds = createRandom(options.seed)
  const stream = (): Random => createRandom(seeds.int(2 ** 32))
  let failure: unknown = null
  /** Nothing goes wrong any more. */
  let calm = false
  const time = createTime(() => {
    if (failure !== null) throw failure
    truth.check(false)
  })
  const trace = (text: () => string) => onTrace?.(`${(time.now() / 1000).toFixed(3).padStart(8)}  ${text()}`)
  /** A failure of what nobody waits for ends the history at the next rest. */
  const background = (work: Promise<unknown>) =>
    void work.catch((error: unknown) => {
      failure ??= error
    })
  const truth = createTruth({
    chain: (): Chain => chain,
    deployment: deploymentId(deployment),
    durations,
    // A head counts while it is at most twice `maxBlind` old, once more after each start; then clocks differ.
    longestSight: 3 * durations.maxBlind + 1_000,
    longestBlindness: 3 * durations.maxBlind + durations.maxStaleness + 2_000,
    lastNews: (name) => Math.max(...nodesOf(name).map((node) => node.changedAt)),
    now: time.now,
    trace,
  })
  const nodesOf = (name: string): readonly ChainNode[] =>
    (settings.relayers[Number(name.slice(1))]?.nodes ?? []).map((index) => nodes[index] as ChainNode)

  const hashes = stream()
  const newHash = (): Hex => `0x${hashes.hex(64)}`
  const chain = createChain({
    contract: deployment.contract,
    settings: { ...people, cooldowns },
    without: without as ReadonlySet<ContractRule>,
    startTime: startTime - 1,
    newHash,
    onBlock: truth.noteBlock,
  })
  const nodes: readonly ChainNode[] = Array.from({ length: settings.nodes }, (_, i) =>
    createChainNode({ name: `n${i}`, chain, ...deployment, after: time.after, now: time.now }),
  )
  const network = createNetwork({
    nodes: new Map(nodes.map((node) => [node.name, node])),
    after: time.after,
    now: time.now,
    random: stream(),
  })
  const producer = createProducer({
    chain,
    after: time.after,
    random: stream(),
    seconds: () => startTime + Math.floor(time.now() / 1000),
    blockTime: settings.blockTime,
    finalityLag: settings.finalityLag,
    reorgs: settings.reorgs,
    trace,
    onChange: () => chainChanged(),
  })
  const chainChanged = () => {
    for (const node of nodes) node.sync()
    truth.headChanged()
  }
  /** Makes a block with these calls the head; what is so many blocks below it becomes final. */
  const mine = (parent: Block, calls: readonly (readonly [from: Hex, call: Call])[], lag: number): Block => {
    const called = calls.map(([from, call]) => ({ hash: newHash(), from, call }))
    for (const transaction of called) transactions.set(transaction.hash, transaction)
    const block = chain.mine(parent, called, startTime + Math.floor(time.now() / 1000))
    chain.adopt(block)
    const final = ancestorAt(block, block.number - lag)
    if (final !== null && final.number > chain.finalized.number) chain.finalize(final)
    chainChanged()
    return block
  }
  const transactions = new Map<Hex, Transaction>()
  const submit = (from: Hex, call: Call): Hex => {
    const transaction = { hash: newHash(), from, call }
    trace(() => `${from.slice(0, 4)} submits ${describe(call)}`)
    transactions.set(transaction.hash, transaction)
    producer.submit(transaction)
    return transaction.hash
  }

  let trial: { readonly block: Block; state: ContractState } | null = null
  /** The contract's refusal of a call after the head; null if it would take it. */
  const refusal = (from: Hex, call: Call): string | null => {
    const block = chain.head
    // A refused call changes nothing, so that one copy serves until a call is taken.
    if (trial?.block !== block) trial = { block, state: copyOf(block.state) }
    const transaction = { hash: '0x', from, call } as const
    const outcome = execute(trial.state, transaction, block.time + 1, without as ReadonlySet<ContractRule>)
    if (typeof outcome === 'string') return outcome
    trial = null
    return null
  }

  const senders = stream()
  const sending = { fails: 0 }
  const createSender = (): OrderSender => {
    const sent = new Map<Hex, { readonly txHash: Hex; readonly at: number }>()
    const outcomeOf = ({ order, digest, signature }: SignedOrder): LandingOutcome => {
      if (chain.head.state.registry.landedOrders.has(digest)) return { type: 'landed', digest }
      const call: Call = { name: 'killBySig', order, digest, signature }
      const why = refusal(people.gas, call)
      if (why !== null) {
        const retryable = why !== 'OrderExpired' && why !== 'NonceUsed'
        return {
          type: 'failed',
          digest,
          error: new OrderNotLandedError(digest, null, retryable, why),
          spent: false,
        }
      }
      const before = sent.get(digest)
      if (before !== undefined && before.at + 15_000 > time.now())
        return { type: 'sent', digest, txHash: before.txHash }
      // What a node accepts may never land.
      const txHash = senders.chance(sending.fails) ? newHash() : submit(people.gas, call)
      sent.set(digest, { txHash, at: time.now() })
      return { type: 'sent', digest, txHash }
    }
    return {
      step: (due) =>
        new Promise((resolve) => {
          time.after(senders.between(10, 300), () => resolve(due.map(outcomeOf)))
        }),
    }
  }
  const keeper: TransactionKeeper = {
    // Nodes forget transactions that a reorg drops, some of them.
    keep: async (txHash) =>
      transactions.has(txHash) && Number.parseInt(txHash.slice(-1), 16) < 8 ? txHash : null,
    async broadcast(raw) {
      const transaction = transactions.get(raw)
      if (transaction === undefined || chain.has(chain.head, transaction))
        throw new TransactionRefusedError(raw, false, 'nonce too low')
      trace(() => `${transaction.hash.slice(0, 10)} is sent again`)
      producer.submit(transaction)
    },
  }

  const skews = stream()
  const relayers: SimulatedRelayer[] = []
  for (const [i, { nodes: indexes, gas }] of settings.relayers.entries()) {
    const name = `r${i}`
    const relayer = await createSimulatedRelayer({
      name,
      deployment,
      trustDomain,
      rpcs: indexes.map((index, at) => `${(index + at) % 3 === 2 ? 'http' : 'ws'}://n${index}/`),
      network,
      time,
      random: stream(),
      wallStart: startTime * 1000 + skews.between(-2_000, 2_000),
      durations,
      peers: settings.forwards
        ? settings.relayers.map((_, at) => `r${at}`).filter((peer) => peer !== name)
        : [],
      deliver: (peer, signed) =>
        new Promise((resolve, reject) => {
          time.after(skews.between(5, 500), () => {
            const to = relayers.find((one) => one.name === peer)
            if (to === undefined) return reject(new UnreachableError(peer))
            const work = post(to, signed)
            background(work)
            work.then(resolve, reject)
          })
        }),
      sender: gas ? createSender() : null,
      keeper,
      verifySignature: async (authority, digest, signature) => {
        if (skews.chance(0.2)) await new Promise<void>((resolve) => time.after(300, resolve))
        return signature === signatureOf(authority, digest)
      },
      without,
      registryAt: (hash) => chain.block(hash)?.state.registry,
      watch: truth.watchOf(name),
      trace,
    })
    relayers.push(relayer)
    truth.addRelayer(relayer)
    relayer.start()
  }
  const points = settings.points.map((indexes, i): SimulatedPoint => {
    const name = `e${i}`
    const point = createSimulatedPoint({
      name,
      deployment,
      relayers: indexes.map((index) => relayers[index] as SimulatedRelayer),
      time,
      random: stream(),
      wallStart: startTime * 1000 + skews.between(-2_000, 2_000),
      durations,
      without,
      onRestart: () => truth.pointRestarted(name),
      onChange: truth.markDirty,
      trace,
    })
    truth.addPoint(point)
    return point
  })
  if (Number.isFinite(settings.blockTime)) producer.start()

  const agents: KnownAgent[] = []
  const bearers: Bearer[] = []
  const orders: SignedOrder[] = []
  const registryOf = (name: string): Registry => truth.grantOf(name).state.registry
  const seconds = () => startTime + Math.floor(time.now() / 1000)

  const register = (owner: Hex, agentType: string, key: Hex): KnownAgent => {
    const salt = newHash()
    const agent = { uuid: uuidFromAgentId(deriveAgentId(deployment, owner, salt)), agentType, keys: [key] }
    agents.push(agent)
    submit(owner, { name: 'register', uuid: agent.uuid, agentType, key })
    return agent
  }

  /** What the chain at a relayer's grant point says of an order. */
  const isValid = (registry: Registry, { order, digest, signature }: SignedOrder): boolean => {
    const now = seconds()
    const label = subjectLabel(order)
    return (
      signature === signatureOf(order.authority, digest) &&
      order.issuedAt <= now &&
      order.deadline > now &&
      // A guardian's power ends at a moment, which comes earlier by a clock that is ahead.
      [now, now + 5].every((at) => killRankOf(registry, order.authority, order, at) > 0) &&
      (order.scope !== Scope.Owner || ownsAgent(registry, label as Hex)) &&
      order.issuedAt >= stateIn(registry)(order).resumeRequestTime &&
      (registry.burntOrders.get(digest) ?? Number.POSITIVE_INFINITY) > now + 5 &&
      !registry.landedNonces.has(`${order.authority}:${order.nonce}`)
    )
  }
  /** Invalid whatever the clocks say within their skew. */
  const isInvalid = (registry: Registry, { order, digest, signature }: SignedOrder): boolean => {
    const now = seconds()
    return (
      signature !== signatureOf(order.authority, digest) ||
      order.deadline + 5n < now ||
      [now - 5, now + 5].every((at) => killRankOf(registry, order.authority, order, at) === 0) ||
      (order.scope === Scope.Owner && !ownsAgent(registry, subjectLabel(order) as Hex)) ||
      order.issuedAt < stateIn(registry)(order).resumeRequestTime ||
      (registry.burntOrders.get(digest) ?? Number.POSITIVE_INFINITY) < now - 5
    )
  }

  const post = async (relayer: SimulatedRelayer, signed: SignedOrder): Promise<Delivery> => {
    const { name } = relayer
    const { order, digest } = signed
    const before = registryOf(name)
    const isKnown = () => truth.acts.has(digest) && truth.hasSeen(name, digest)
    const knew = isKnown()
    // Asked when it is answered: another order may have been signed meanwhile, and come first.
    const nonceTaken = () =>
      orders.some(
        (other) =>
          other.digest !== digest &&
          other.order.nonce === order.nonce &&
          other.order.authority === order.authority,
      )
    const checkTaken = () => {
      if (!knew && isInvalid(before, signed) && isInvalid(registryOf(name), signed))
        throw new Violation('only a valid order is enforced', `${name} takes ${digest.slice(0, 10)}`)
      if (!knew && nonceTaken() && truth.hasSeenNonce(name, order, digest))
        throw new Violation('an order has a nonce of its own', `${name} takes ${digest.slice(0, 10)}`)
    }
    const checkRefused = (why: string) => {
      if (!nonceTaken() && isValid(before, signed) && isValid(registryOf(name), signed))
        throw new Violation('a valid order is taken', `${name} refuses ${digest.slice(0, 10)}: ${why}`)
    }
    truth.asked(name, signed)
    try {
      const record = await relayer.takeOrder(signed)
      trace(
        () => `${name} answers ${digest.slice(0, 10)} with ${record.id.slice(0, 8)}, ${killState(record)}`,
      )
      // One more of many open orders of its kind changes nothing.
      if (record.digest !== digest) return { outcome: 'taken' }
      if (record.withdrawn !== null) {
        checkRefused('it is withdrawn')
        return { outcome: 'taken' }
      }
      checkTaken()
      truth.ordered(name, signed, true)
      return { outcome: 'taken' }
    } catch (error) {
      if (error instanceof JournalFailedError) {
        trace(() => `${name} enforces ${digest.slice(0, 10)}, not durable`)
        checkTaken()
        truth.ordered(name, signed, false)
        return { outcome: 'later', why: 'not durable' }
      }
      if (error instanceof InvalidOrderError || error instanceof OrderRefusedError) {
        trace(() => `${name} refuses ${digest.slice(0, 10)}: ${error.message}`)
        checkRefused(error.message)
        const kind = error instanceof OrderRefusedError ? error.kind : ''
        return { outcome: kind.startsWith('unknown') ? 'later' : 'refused', why: error.message }
      }
      if (error instanceof UnreachableError) return { outcome: 'later', why: 'unreachable' }
      throw error
    }
  }

  const isRefusal = (error: unknown): boolean =>
    [IssuanceRefusedError, JournalFailedError, DiskFullError, UnreachableError, WrongKeyError].some(
      (kind) => error instanceof kind,
    )

  const noteIssued = (
    relayer: SimulatedRelayer,
    svid: Svid,
    uuid: string,
    key: Hex,
    how: string,
  ): KnownSvid => {
    const { agentType } = agents.find((one) => one.uuid === uuid) as KnownAgent
    if (svid.owner === null) throw new TypeError(`${svid.spiffeId} has no owner`)
    trace(() => `${relayer.name} issues ${uuid.slice(0, 8)} generation ${svid.generation} ${how}`)
    return truth.issued(relayer.name, svid, { uuid, owner: svid.owner, agentType }, key)
  }

  const attest = async (relayer: SimulatedRelayer, agent: KnownAgent, key: Hex): Promise<boolean> => {
    const spiffeId = formatSpiffeId({ trustDomain, type: agent.agentType, name: agent.uuid })
    try {
      const svid = await relayer.attested(spiffeId, key)
      bearers.push({
        svid: noteIssued(relayer, svid, agent.uuid, key, 'attested'),
        relayer,
        key,
        uuid: agent.uuid,
      })
      return true
    } catch (error) {
      if (!isRefusal(error)) throw error
      return false
    }
  }

  const renew = async (bearer: Bearer): Promise<void> => {
    const { relayer, svid, uuid, key } = bearer
    try {
      bearer.svid = noteIssued(relayer, await relayer.renewed(svid), uuid, key, 'renewed')
    } catch (error) {
      if (!isRefusal(error)) throw error
    }
  }

  const enrol = async (relayer: SimulatedRelayer): Promise<void> => {
    const spiffeId = formatSpiffeId({ trustDomain, type: 'service', name: 'gate' })
    try {
      truth.issued(relayer.name, await relayer.enrolled(spiffeId), null, null)
    } catch (error) {
      if (!isRefusal(error)) throw error
    }
  }

  const settled = (relayer: SimulatedRelayer, signed: SignedOrder): boolean =>
    signed.order.deadline < seconds() + 10 ||
    refusal(people.gas, { name: 'killBySig', ...signed }) !== null ||
    settings.relayers[relayers.indexOf(relayer)]?.gas === false ||
    chain.head.state.registry.landedOrders.has(signed.digest)

  return {
    settings,
    /** Whether an order is on chain, or need not be brought there by the relayer. */
    settled,
    time,
    trace,
    background,
    isCalm: () => calm,
    calm(): void {
      calm = true
    },
    truth,
    chain,
    nodes,
    network,
    producer,
    relayers,
    points,
    agents,
    bearers,
    orders,
    sending,
    submit,
    mine,
    refusal,
    register,
    seconds,
    post,
    attest,
    renew,
    enrol,
    newKey: newHash,
    sign(message: KillOrder, forged: boolean): SignedOrder {
      const digest = killOrderDigest(deployment, message)
      const signed = {
        order: message,
        digest,
        signature: signatureOf(forged ? people.stranger : message.authority, digest),
      }
      orders.push(signed)
      return signed
    },
    /** The same name in another deployment, for ever. */
    addForeignSvid(agent: KnownAgent): void {
      truth.addForeign({
        serial: '00',
        spiffeId: formatSpiffeId({ trustDomain, type: agent.agentType, name: agent.uuid }),
        owner: people.owners[0],
        generation: 1_000_000,
        issuedAt: 0,
        expiresAt: Number.MAX_SAFE_INTEGER,
        provedAt: 0,
        certificate: '',
        claims: {
          spiffeId: { trustDomain, type: agent.agentType, name: agent.uuid },
          owner: people.owners[0],
          deployment: deploymentId({ ...deployment, chainId: 1 }),
          generation: 1_000_000,
        },
      })
    },
    async close(): Promise<void> {
      for (const point of points) point.close()
      for (const relayer of relayers) {
        relayer.crash()
        await relayer.close()
      }
    },
  }
}

function describe(call: Call): string {
  const parts = Object.entries(call).map(([name, value]) => {
    if (name === 'name') return String(value)
    if (name === 'target' || name === 'order')
      return `${(value as Target).scope}…${(value as Target).subject.slice(-6)}`
    return name === 'signature' ? '' : `${name} ${String(value).slice(0, 10)}`
  })
  return parts.join(' ')
}
