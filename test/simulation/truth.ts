import type { Hex } from '../../protocol/hex.ts'
import { type AgentIdentity, coveringTargets, isKilled } from '../../protocol/liveness.ts'
import type { KillOrder } from '../../protocol/order.ts'
import { stateIn } from '../../protocol/registry.ts'
import type { SvidClaims } from '../../protocol/revocation.ts'
import {
  agentTarget,
  agentTypeTarget,
  fleetTarget,
  ownerTarget,
  Scope,
  subjectLabel,
  type Target,
  targetKey,
} from '../../protocol/scope.ts'
import { isReservedType } from '../../protocol/spiffeId.ts'
import type { SignedMessage } from '../../relayer/feed/position.ts'
import type { SignedOrder } from '../../relayer/kill/chainPort.ts'
import { type Block, type Chain, descendsFrom } from './chain/chain.ts'
import type { SimulatedPoint } from './point.ts'
import type { Durations, RelayerWatch, SimulatedRelayer, Svid } from './relayer.ts'

/** An invariant does not hold. */
export class Violation extends Error {
  override readonly name = 'Violation'
  readonly invariant: string
  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`)
    this.invariant = invariant
  }
}

/** How long the transaction of a dropped kill may take to be sent again and overtaken by finality, in ms. */
const longestLingering = 150_000

/** A kill from whatever origin: an order by its digest, a transaction (also a transfer) by its hash. */
export type Act = { readonly id: Hex; readonly target: Target; readonly key: string }

/** Where on a branch an act took effect. */
type Effect = { readonly number: number; readonly sequence: number }

/** Where a feed stood, so that a reader can be told to be past it. */
type Stamp = { readonly epoch: number; readonly number: number }

/** What a relayer must enforce since it learned of an act. */
type Seen = {
  readonly act: Act
  /** It took the order itself, so that only a burn or finality undoes it. */
  order: boolean
  /** When it took it, in ms; 0 if it did not. */
  orderedAt: number
  /** When the order was signed, in Unix seconds. */
  issuedAt: number
  durable: boolean
  /** `authority:nonce` of the order that it took. */
  nonce: string | null
  /** Height of the last block with it that the relayer took, or of the highest that it saw since that was dropped. */
  height: number | null
  /** Whether the relayer holds that block. */
  isLanded: boolean
  /** When it last no longer held it, in ms. */
  lostAt: number
  readonly stamp: Stamp
  /** Since when its row is final, by the feed and in ms. */
  final: (Stamp & { readonly at: number }) | null
}

type RelayerTruth = {
  readonly relayer: SimulatedRelayer
  readonly epochs: string[]
  number: number
  /** The grant point that it may have reached, and the one that it has. */
  grantBegun: Block
  grant: Block
  readonly seen: Map<Hex, Seen>
  /** All that was in `seen` and that its store knows. */
  readonly ever: Set<Hex>
  /** Orders that it was asked to take. */
  readonly asked: Map<Hex, SignedOrder>
  readonly messages: Map<string, string>
}

/** What a backup of a relayer's store holds of acts: those that it enforces, and all that it knows. */
export type BackedUp = { readonly held: ReadonlyMap<Hex, Seen>; readonly ever: ReadonlySet<Hex> }

type PointTruth = {
  readonly point: SimulatedPoint
  /** Relayers through which each act has arrived. */
  readonly delivered: Map<Hex, Set<string>>
  /** Acts that it was told are final. */
  readonly finals: Set<Hex>
}

/** An SVID with what the truth knows of its making. */
export type KnownSvid = Svid & {
  readonly relayer: string
  /** The issuer's grant point. */
  readonly grant: Block
  readonly ours: boolean
}

export type Truth = ReturnType<typeof createTruth>

/** All that is true of a history, kept beside the parts under test, and what must hold of them. */
export function createTruth(options: {
  readonly chain: () => Chain
  /** Of this deployment, as SVIDs name it. */
  readonly deployment: string
  readonly durations: Durations
  /** After that long without a view of the chain a point lets nobody in, in ms. */
  readonly longestBlindness: number
  /** How long after the last news of all its nodes a relayer may still issue, in ms. */
  readonly longestSight: number
  /** When a node of the relayer last saw something new. */
  readonly lastNews: (relayer: string) => number
  readonly now: () => number
  readonly trace: (text: () => string) => void
}) {
  const { now, trace } = options
  const acts = new Map<Hex, Act>()
  const actsOfBlock = new Map<Block, readonly Act[]>()
  /** Acts in force on the branch up to each block. */
  const effects = new Map<Block, ReadonlyMap<Hex, Effect>>()
  const relayers = new Map<string, RelayerTruth>()
  const points = new Map<string, PointTruth>()
  let svids: KnownSvid[] = []
  const kills = new Set<Hex>()
  /** The canonical branch, lowest first, with when each block came on it. */
  let canonical: { readonly block: Block; readonly since: number }[] = []
  let dirty = true

  const noteBlock = (block: Block): void => {
    const before = (block.parent === null ? undefined : effects.get(block.parent)) ?? new Map<Hex, Effect>()
    const found: Act[] = []
    const after = new Map(before)
    for (const { event, transaction } of block.events) {
      const kill =
        event.type === 'Killed'
          ? { id: event.orderDigest ?? transaction.hash, target: event, sequence: event.sequence }
          : event.type === 'AgentTransferred'
            ? {
                id: transaction.hash,
                target: agentTarget(event.uuid),
                sequence: block.state.registry.sequence,
              }
            : null
      if (kill === null) continue
      const { scope, subject } = kill.target
      const act = acts.get(kill.id) ?? {
        id: kill.id,
        target: { scope, subject },
        key: targetKey(kill.target),
      }
      acts.set(act.id, act)
      if (event.type === 'Killed') kills.add(act.id)
      if (!found.includes(act)) found.push(act)
      after.set(act.id, { number: block.number, sequence: kill.sequence })
    }
    if (found.length > 0) actsOfBlock.set(block, found)
    effects.set(block, found.length > 0 ? after : before)
  }

  const effectIn = (block: Block, act: Act): Effect | undefined => effects.get(block)?.get(act.id)
  const isBurntIn = (block: Block, digest: Hex): boolean => {
    const from = block.state.registry.burntOrders.get(digest)
    return from !== undefined && from <= block.time
  }
  /** Void for good: its subject was resumed by a request of after the order was signed. */
  const isVoidIn = (block: Block, { act, issuedAt }: Seen): boolean =>
    issuedAt < stateIn(block.state.registry)(act.target).resumeRequestTime
  const isUndoneIn = (block: Block, seen: Seen): boolean =>
    isBurntIn(block, seen.act.id) || isVoidIn(block, seen)
  const stampOf = (truth: RelayerTruth): Stamp => ({ epoch: truth.epochs.length - 1, number: truth.number })

  /** Whether an act keeps its subject provisionally killed at a relayer, as far as that relayer can know. */
  const isOpenAt = (truth: RelayerTruth, seen: Seen): boolean => {
    if (effectIn(truth.grantBegun, seen.act) !== undefined) return false
    // What is undone at a final block is in no block above it.
    if (seen.order) return !isUndoneIn(truth.grantBegun, seen)
    return seen.height !== null && seen.height > truth.grantBegun.number
  }

  /**
   * Whether it may still be held although finality has passed its height without it: until its transaction was sent
   * again, and finality has passed that too.
   */
  const lingers = (truth: RelayerTruth, seen: Seen): boolean =>
    !seen.order &&
    effectIn(truth.grantBegun, seen.act) === undefined &&
    now() < seen.lostAt + longestLingering

  const forget = (truth: RelayerTruth, id: Hex, finalsToo: boolean) => {
    truth.seen.delete(id)
    for (const { delivered, finals } of points.values()) {
      delivered.get(id)?.delete(truth.relayer.name)
      if (finalsToo) finals.delete(id)
    }
  }

  const learn = (truth: RelayerTruth, act: Act): Seen => {
    const had = truth.seen.get(act.id)
    if (had !== undefined) return had
    const seen: Seen = {
      act,
      order: false,
      orderedAt: 0,
      issuedAt: 0,
      nonce: null,
      durable: false,
      height: null,
      isLanded: false,
      lostAt: now(),
      stamp: stampOf(truth),
      final: null,
    }
    truth.seen.set(act.id, seen)
    truth.ever.add(act.id)
    return seen
  }

  /** It may have been withdrawn meanwhile, and then is a new kill. */
  const learnAnew = (truth: RelayerTruth, act: Act): Seen => {
    const had = truth.seen.get(act.id)
    if (had !== undefined && had.final === null && !isOpenAt(truth, had)) forget(truth, act.id, false)
    return learn(truth, act)
  }

  const land = (truth: RelayerTruth, act: Act, block: Block, durable: boolean): void => {
    const seen = learnAnew(truth, act)
    seen.height = block.number
    seen.isLanded = true
    if (durable) seen.durable = true
  }

  const order = (truth: RelayerTruth, { digest, order }: SignedOrder, durable: boolean): void => {
    const target = { scope: order.scope, subject: order.subject }
    const act = acts.get(digest) ?? { id: digest, target, key: targetKey(target) }
    acts.set(digest, act)
    const seen = learnAnew(truth, act)
    if (!seen.order) seen.orderedAt = now()
    seen.order = true
    seen.nonce = `${order.authority}:${order.nonce}`
    seen.issuedAt = Number(order.issuedAt)
    if (durable) seen.durable = true
  }

  const blockOf = (name: string, hash: Hex): Block => {
    const block = options.chain().block(hash)
    if (block === undefined) throw new Violation('blocks are of the chain', `${name} took ${hash}`)
    return block
  }

  /** Drops what finality has decided against; notes what it has decided for. */
  const review = (truth: RelayerTruth): void => {
    for (const seen of [...truth.seen.values()]) {
      if (effectIn(truth.grant, seen.act) !== undefined) seen.final ??= { ...stampOf(truth), at: now() }
      else if (!isOpenAt(truth, seen) && !lingers(truth, seen)) forget(truth, seen.act.id, false)
    }
  }

  const truthOf = (name: string): RelayerTruth => {
    const found = relayers.get(name)
    if (found === undefined) throw new RangeError(`there is no relayer ${name}`)
    return found
  }

  const watchOf = (name: string): RelayerWatch => ({
    started(epoch, number, blocks, orders) {
      const truth = truthOf(name)
      truth.epochs.push(epoch)
      truth.number = number
      const held = blocks.map((hash) => blockOf(name, hash))
      const [grant] = held
      if (grant !== undefined) {
        truth.grant = grant
        truth.grantBegun = grant
      }
      // Decisions that became durable although nobody was told, because the process died.
      for (const block of held) for (const act of actsOfBlock.get(block) ?? []) land(truth, act, block, true)
      for (const digest of orders) {
        const asked = truth.asked.get(digest)
        if (asked !== undefined) order(truth, asked, true)
      }
      review(truth)
      dirty = true
    },
    took(hashes, phase) {
      if (phase === 'begins') return
      const truth = truthOf(name)
      dirty = true
      for (const hash of hashes) {
        const block = blockOf(name, hash)
        for (const act of actsOfBlock.get(block) ?? []) {
          land(truth, act, block, phase === 'is durable')
          trace(() => `${name} takes ${act.id.slice(0, 10)} on ${act.key} in block ${block.number}`)
        }
      }
    },
    sighted(hash, ids, phase) {
      if (phase === 'begins') return
      const truth = truthOf(name)
      dirty = true
      const block = blockOf(name, hash)
      for (const act of actsOfBlock.get(block) ?? []) {
        trace(() => `${name} sights ${act.id.slice(0, 10)} in block ${block.number}`)
        // What it knows or knew already it sees no second time.
        if (!ids.includes(act.id) || truth.ever.has(act.id)) continue
        const seen = learn(truth, act)
        seen.height = block.number
        if (phase === 'is durable') seen.durable = true
      }
      review(truth)
    },
    dropped(hashes) {
      const { seen } = truthOf(name)
      for (const hash of hashes) {
        const block = options.chain().block(hash)
        for (const act of (block === undefined ? undefined : actsOfBlock.get(block)) ?? []) {
          const one = seen.get(act.id)
          if (one === undefined) continue
          one.isLanded = false
          one.lostAt = now()
        }
      }
    },
    granted(hash, phase) {
      const truth = truthOf(name)
      const block = options.chain().block(hash)
      if (block === undefined || !descendsFrom(options.chain().finalized, block))
        throw new Violation('only what is final is granted', `${name} reached ${hash}`)
      dirty = true
      if (phase === 'begins') truth.grantBegun = block
      else {
        truth.grant = block
        review(truth)
      }
    },
    durable() {
      for (const seen of truthOf(name).seen.values()) seen.durable = true
    },
    published(messages) {
      const truth = truthOf(name)
      dirty = true
      for (const message of messages) noteMessage(truth, message)
    },
    died() {
      const truth = truthOf(name)
      for (const { act, durable } of [...truth.seen.values()]) {
        if (durable) continue
        forget(truth, act.id, false)
        truth.ever.delete(act.id)
      }
      dirty = true
    },
  })

  const noteMessage = (truth: RelayerTruth, { number, hash, document, type }: SignedMessage): void => {
    const name = truth.relayer.name
    if (number !== truth.number + 1)
      throw new Violation('the feed has no gaps', `${name} publishes ${number} after ${truth.number}`)
    truth.number = number
    const key = `${truth.epochs.at(-1)} ${number}`
    const had = truth.messages.get(key)
    if (had !== undefined && had !== hash)
      throw new Violation('an epoch has one history', `${name} signs message ${number} twice`)
    truth.messages.set(key, hash)
    trace(
      () =>
        `${name} publishes ${number} ${type} ${document.slice(document.indexOf('"row":'), document.indexOf('"row":') + 190)}`,
    )
  }

  const keysOfSvid = new WeakMap<KnownSvid, readonly string[]>()
  const keysOf = (svid: KnownSvid): readonly string[] => {
    const had = keysOfSvid.get(svid)
    if (had !== undefined) return had
    const keys = keysOfClaims(svid.claims)
    keysOfSvid.set(svid, keys)
    return keys
  }
  const keysOfClaims = (claims: SvidClaims): readonly string[] => {
    const { type, name } = claims.spiffeId
    if (isReservedType(type)) return []
    return [
      agentTarget(name),
      ...(claims.owner === null ? [] : [ownerTarget(claims.owner)]),
      agentTypeTarget(type),
      fleetTarget,
    ].map(targetKey)
  }

  const isPast = (truth: RelayerTruth, position: { epoch: string; number: number } | null, stamp: Stamp) => {
    if (position === null) return false
    const epoch = truth.epochs.lastIndexOf(position.epoch)
    return epoch > stamp.epoch || (epoch === stamp.epoch && position.number >= stamp.number)
  }

  const noteDeliveries = ({ point, delivered, finals }: PointTruth): void => {
    for (const { relayer, position } of point.followed) {
      const truth = truthOf(relayer.name)
      for (const { act, stamp, final } of truth.seen.values()) {
        if (isPast(truth, position, stamp)) {
          const ways = delivered.get(act.id)
          if (ways === undefined) delivered.set(act.id, new Set([relayer.name]))
          else ways.add(relayer.name)
        }
        if (final !== null && isPast(truth, position, final)) finals.add(act.id)
      }
    }
  }

  /** Why the point must refuse everything of a subject that was issued before; null if nothing says so. */
  const whyDead = (at: PointTruth, act: Act): { readonly unless: number; readonly why: string } | null => {
    const { finalized } = options.chain()
    const effect = effectIn(finalized, act)
    const ways = [...(at.delivered.get(act.id) ?? [])]
    if (ways.length === 0 && !at.finals.has(act.id)) return null
    // One that all have withdrawn has to be seen anew.
    const isKnown =
      at.finals.has(act.id) ||
      ways.some((way) => {
        const seen = truthOf(way).seen.get(act.id)
        return seen !== undefined && (seen.final !== null || isOpenAt(truthOf(way), seen))
      })
    if (effect !== undefined && isKnown)
      return { unless: effect.number, why: `final at height ${effect.number}` }
    for (const way of ways) {
      const seen = truthOf(way).seen.get(act.id)
      if (seen === undefined) continue
      if (seen.order && !isUndoneIn(finalized, seen))
        return { unless: Number.POSITIVE_INFINITY, why: `ordered, not undone, known by ${way}` }
      if (!seen.order && seen.height !== null && seen.height > finalized.number)
        return {
          unless: Number.POSITIVE_INFINITY,
          why: `in block ${seen.height}, not final, known by ${way}`,
        }
    }
    return null
  }

  /** An SVID of just before a final kill may come from another relayer until that has seen it, and lives its life. */
  const checkFinal = (at: PointTruth, act: Act): void => {
    const effect = effectIn(options.chain().finalized, act)
    if (effect === undefined || !kills.has(act.id)) return
    for (const { relayer } of at.point.followed) {
      const seen = truthOf(relayer.name).seen.get(act.id)
      if (seen?.final == null || !at.finals.has(act.id)) continue
      if (now() > seen.final.at + options.durations.svidLife) continue
      const claims = { ...probeOf(act), generation: effect.sequence - 1 }
      if (at.point.judge({ claims, expiresAt: Number.POSITIVE_INFINITY }).allowed)
        throw new Violation(
          'a final kill stands until no older SVID lives',
          `${at.point.name} no longer holds ${act.key} killed by ${act.id.slice(0, 10)} at ${effect.sequence}`,
        )
    }
  }

  /** Whatever fails, a point does not let anybody in whom the chain has killed long ago. */
  const checkExposure = (at: PointTruth): void => {
    for (const { block, since } of canonical) {
      if (since > now() - options.longestBlindness) break
      for (const act of actsOfBlock.get(block) ?? []) {
        for (const svid of svids) {
          if (svid.expiresAt < at.point.wall() || svid.grant.number >= block.number) continue
          if (!keysOf(svid).includes(act.key) || !at.point.judge(svid).allowed) continue
          throw new Violation(
            'a point without a fresh view refuses',
            `${at.point.name} lets ${svid.spiffeId} in, killed ${now() - since} ms ago in block ${block.number}`,
          )
        }
      }
    }
  }

  const checkDenials = (at: PointTruth): void => {
    const live = svids.filter((svid) => svid.expiresAt >= at.point.wall())
    for (const id of new Set([...at.delivered.keys(), ...at.finals])) {
      const act = acts.get(id)
      if (act === undefined) continue
      const dead = whyDead(at, act)
      if (dead === null) continue
      for (const svid of live) {
        if (svid.grant.number >= dead.unless || !keysOf(svid).includes(act.key)) continue
        if (at.point.judge(svid).allowed)
          throw new Violation(
            'an SVID from before a kill is refused once the kill was seen',
            `${at.point.name} lets ${svid.spiffeId} (generation ${svid.generation}, of ${svid.relayer}) in, killed by ${id.slice(0, 10)}: ${dead.why}`,
          )
      }
      if (dead.unless !== Number.POSITIVE_INFINITY) {
        checkFinal(at, act)
        continue
      }
      if (at.point.judge({ claims: probeOf(act), expiresAt: Number.POSITIVE_INFINITY }).allowed)
        throw new Violation(
          'nothing is un-revoked before finality',
          `${at.point.name} no longer holds ${act.key} killed by ${id.slice(0, 10)}: ${dead.why}`,
        )
    }
    for (const svid of live) {
      if (svid.ours || !at.point.judge(svid).allowed) continue
      throw new Violation(
        'an SVID of another deployment is refused',
        `${at.point.name} lets ${svid.spiffeId} in`,
      )
    }
  }

  /** An SVID that only a provisional kill refuses: of the latest generation there can be. */
  const probeOf = (act: Act): SvidClaims => {
    const had = probes.get(act.key)
    if (had !== undefined) return had
    const probe = newProbe(act.target)
    probes.set(act.key, probe)
    return probe
  }
  const probes = new Map<string, SvidClaims>()
  const newProbe = (target: Target): SvidClaims => {
    const label = subjectLabel(target)
    return {
      spiffeId: {
        trustDomain: 'probe',
        type: target.scope === Scope.AgentType ? label : 'probe',
        name: target.scope === Scope.Agent ? label : '00000000-0000-8000-8000-000000000000',
      },
      owner: target.scope === Scope.Owner ? (label as Hex) : `0x${'01'.repeat(20)}`,
      deployment: options.deployment,
      generation: Number.MAX_SAFE_INTEGER,
    }
  }

  /** Whether everything that a relayer has said is with the point, which is fresh. */
  const isUpToDate = (at: PointTruth): boolean =>
    at.point.followed.every(({ relayer, position, isFresh }) => {
      const truth = truthOf(relayer.name)
      return (
        isFresh &&
        relayer.isRunning &&
        position?.epoch === truth.epochs.at(-1) &&
        position?.number === truth.number
      )
    })

  const checkAdmissions = (at: PointTruth): void => {
    if (!isUpToDate(at)) return
    const held = new Set<string>()
    const finals = new Map<string, number>()
    for (const { relayer } of at.point.followed) {
      const truth = truthOf(relayer.name)
      for (const seen of truth.seen.values())
        if (isOpenAt(truth, seen) || lingers(truth, seen)) held.add(seen.act.key)
      for (const [id, effect] of effects.get(truth.grant) ?? []) {
        const { key } = acts.get(id) as Act
        finals.set(key, Math.max(finals.get(key) ?? 0, effect.number))
      }
    }
    for (const svid of svids) {
      if (!svid.ours || svid.expiresAt < at.point.wall()) continue
      const covered = keysOf(svid).some((key) => held.has(key) || (finals.get(key) ?? 0) > svid.grant.number)
      if (covered) continue
      const verdict = at.point.judge(svid)
      if (!verdict.allowed)
        throw new Violation(
          'an SVID that no kill covers is accepted',
          `${at.point.name} refuses ${svid.spiffeId} (generation ${svid.generation}, of ${svid.relayer}): ${verdict.why === 'killed' ? JSON.stringify(verdict.row) : verdict.why}`,
        )
    }
  }

  const checkIssued = (name: string, identity: AgentIdentity | null, provedKey: Hex | null): void => {
    const truth = truthOf(name)
    const silence = now() - options.lastNews(name)
    if (silence > options.longestSight)
      throw new Violation(
        'a blind relayer issues nothing',
        `${name} issues an SVID ${silence} ms after the last news`,
      )
    if (identity === null) return
    const states = [truth.grantBegun, truth.grant].map((block) => block.state.registry)
    if (states.every((registry) => isKilled(identity, stateIn(registry))))
      throw new Violation(
        'no killed agent gets an SVID',
        `${name} issues one to ${identity.uuid}, killed at its grant point`,
      )
    const keys = coveringTargets(identity).map(targetKey)
    for (const seen of truth.seen.values()) {
      if (keys.includes(seen.act.key) && isOpenAt(truth, seen))
        throw new Violation(
          'no killed agent gets an SVID',
          `${name} issues one to ${identity.uuid}, provisionally killed by ${seen.act.id.slice(0, 10)}`,
        )
    }
    if (states.every((registry) => registry.agents.get(identity.uuid)?.key !== provedKey))
      throw new Violation(
        'an SVID goes to the holder of the present key',
        `${name} issues one to ${identity.uuid}`,
      )
  }

  return {
    noteBlock,
    watchOf,
    addRelayer(relayer: SimulatedRelayer): void {
      const grant = options.chain().finalized
      relayers.set(relayer.name, {
        relayer,
        epochs: [],
        number: 0,
        grantBegun: grant,
        grant,
        seen: new Map(),
        ever: new Set(),
        asked: new Map(),
        messages: new Map(),
      })
    },
    addPoint(point: SimulatedPoint): void {
      points.set(point.name, { point, delivered: new Map(), finals: new Set() })
    },
    pointRestarted(name: string): void {
      const at = points.get(name)
      at?.delivered.clear()
      at?.finals.clear()
    },
    /** The relayer is asked to take an order; it may die before it answers. */
    asked(name: string, signed: SignedOrder): void {
      truthOf(name).asked.set(signed.digest, signed)
    },
    /** The order is enforced at the relayer; durably, or the caller was told that it is not. */
    ordered(name: string, signed: SignedOrder, durable: boolean): void {
      const truth = truthOf(name)
      order(truth, signed, durable)
      review(truth)
      dirty = true
    },
    issued(name: string, svid: Svid, identity: AgentIdentity | null, provedKey: Hex | null): KnownSvid {
      checkIssued(name, identity, provedKey)
      const known = { ...svid, relayer: name, grant: truthOf(name).grantBegun, ours: true }
      svids.push(known)
      dirty = true
      return known
    },
    addForeign(svid: Svid): void {
      svids.push({ ...svid, relayer: 'another deployment', grant: options.chain().finalized, ours: false })
    },
    grantOf: (name: string) => truthOf(name).grant,
    /** What a backup of the relayer's store holds, to be given to `restored`. */
    backedUp(name: string): BackedUp {
      const { seen, ever } = truthOf(name)
      const isHeld = (id: Hex) => seen.get(id)?.durable === true
      return {
        held: new Map([...seen].filter(([id]) => isHeld(id)).map(([id, one]) => [id, { ...one }])),
        ever: new Set([...ever].filter((id) => isHeld(id) || !seen.has(id))),
      }
    },
    restored(name: string, { held, ever }: BackedUp): void {
      const truth = truthOf(name)
      for (const [id, one] of [...truth.seen]) {
        const then = held.get(id)
        if (then === undefined) forget(truth, id, false)
        else Object.assign(one, then)
      }
      for (const id of [...truth.ever]) if (!ever.has(id)) truth.ever.delete(id)
    },
    seenBy: (name: string): readonly Seen[] => [...truthOf(name).seen.values()],
    hasSeen: (name: string, id: Hex): boolean => truthOf(name).seen.has(id),
    /** Whether another order with the nonce is enforced there. */
    hasSeenNonce: (name: string, { authority, nonce }: KillOrder, digest: Hex): boolean =>
      [...truthOf(name).seen.values()].some(
        (seen) => seen.nonce === `${authority}:${nonce}` && seen.act.id !== digest,
      ),
    isOpenAt: (name: string, seen: Seen) => isOpenAt(truthOf(name), seen),
    lingers: (name: string, seen: Seen) => lingers(truthOf(name), seen),
    effectIn,
    acts,
    /** Whether the contract announced it as a kill. */
    isKill: (act: Act): boolean => kills.has(act.id),
    /** Keys of the targets that cover an agent. */
    keysOf: (agent: AgentIdentity): readonly string[] => coveringTargets(agent).map(targetKey),
    /** Checks after something may have changed; `always` also when nothing is known to have. */
    check(always: boolean): void {
      const latest = Math.max(...[...points.values()].map(({ point }) => point.wall()))
      if (dirty || always) svids = svids.filter((svid) => svid.expiresAt + 60_000 >= latest)
      for (const at of points.values()) {
        if (!dirty && !always) continue
        noteDeliveries(at)
        checkDenials(at)
        if (!always) continue
        checkAdmissions(at)
        checkExposure(at)
      }
      dirty = false
    },
    headChanged(): void {
      dirty = true
      let fork = canonical.length
      const branch: Block[] = []
      for (let one: Block | null = options.chain().head; one !== null; one = one.parent) {
        const at: number = one.number - (canonical[0]?.block.number ?? 1)
        if (canonical[at]?.block === one) {
          fork = at + 1
          break
        }
        fork = at
        branch.unshift(one)
      }
      const since = now()
      canonical = [...canonical.slice(0, fork), ...branch.map((block) => ({ block, since }))]
    },
    markDirty(): void {
      dirty = true
    },
    get svids(): readonly KnownSvid[] {
      return svids
    },
  }
}
