import type { Hex } from '../../protocol/hex.ts'
import { isKilled } from '../../protocol/liveness.ts'
import type { KillOrder } from '../../protocol/order.ts'
import { Rank } from '../../protocol/rank.ts'
import { Reason } from '../../protocol/reason.ts'
import { killRankOf, type RegistryEvent, resumeRankOf, stateIn } from '../../protocol/registry.ts'
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
import { agentIdFromUuid } from '../../protocol/uuid.ts'
import { type ContractRule, type ContractState, deployed, execute } from './chain/contract.ts'
import { type Call, signatureOf } from './chain/transaction.ts'
import { createRandom, type Random } from './random.ts'
import { Violation } from './truth.ts'
import { agentTypes, people } from './world.ts'

/** The least cool-down, in seconds; every rank has it here. */
const cooldown = 40
const callsPerHistory = 250

type Kill = Target & {
  readonly rank: Rank
  readonly time: number
  readonly sequence: number
  readonly isTransfer: boolean
  /** Of rank Owner: by the owner, a guardian, or a transfer. */
  readonly isOwners: boolean
}

/** What happened to one contract, as a list: the checks below know neither registry nor states. */
type Chronicle = {
  readonly kills: Kill[]
  /** Sequence of the last resume by target; of agents also of the registration. */
  readonly resumedAt: Map<string, number>
  readonly requests: Map<string, { readonly time: number; readonly sequence: number }>
  /** Sequence at which the kills above the owner's were last lifted, by target. */
  readonly loweredAt: Map<string, number>
  /** Time of the request of the last executed resume, or lowering. */
  readonly resumeRequested: Map<string, number>
  readonly guardians: Map<string, { readonly dismissed: number | null }>
  readonly transfers: Map<string, { readonly former: Hex; readonly time: number; keySet: boolean }>
  readonly landed: Set<Hex>
  readonly landedNonces: Set<string>
  readonly burnt: Map<Hex, number>
}

const roles: readonly Hex[] = [
  people.governance,
  people.council,
  people.emergencyGovernor,
  ...people.owners,
  ...people.guardians,
  people.breaker,
  people.stranger,
]

/** Plays random calls against the model of the contract alone and checks the rules of DESIGN, section 3, by the chronicle. */
export function playContract(seed: number, without: ReadonlySet<ContractRule>): Violation | null {
  const random = createRandom(seed)
  const { state } = deployed({ ...people, cooldowns: [cooldown, cooldown, cooldown, cooldown] })
  const { registry } = state
  const chronicle: Chronicle = {
    kills: [],
    resumedAt: new Map(),
    requests: new Map(),
    loweredAt: new Map(),
    resumeRequested: new Map(),
    guardians: new Map(),
    transfers: new Map(),
    landed: new Set(),
    landedNonces: new Set(),
    burnt: new Map(),
  }
  const orders: { readonly order: KillOrder; readonly digest: Hex }[] = []
  let time = 1_800_000_000
  try {
    for (let i = 0; i < callsPerHistory; i++) {
      time += random.pick([0, 0, 1, 5, 20, 45])
      const { from, call } = anyCall(random, state, orders, time)
      const before = {
        agents: new Map(registry.agents),
        killed: new Set(
          [...registry.agents.values()]
            .filter((one) => isKilled(one, stateIn(registry)))
            .map((one) => one.uuid),
        ),
        rank: 'target' in call ? resumeRankOf(registry, from, call.target) : Rank.None,
        entitled: call.name === 'kill' && isEntitled(chronicle, state, from, call.target, time),
        required:
          call.name === 'burnOrder'
            ? Math.max(Rank.Owner, killRankOf(registry, call.order.authority, call.order, time))
            : 0,
        burnRank: call.name === 'burnOrder' ? resumeRankOf(registry, from, call.order) : 0,
      }
      const outcome = execute(state, { hash: `0x${i}`, from, call }, time, without)
      if (typeof outcome === 'string') {
        if (before.entitled)
          fail('a guardian keeps its kill for one cool-down', `${from} is refused: ${outcome}`)
        if (call.name === 'killBySig' && outcome === 'NonceUsed' && !chronicle.burnt.has(call.digest))
          if (!chronicle.landedNonces.has(nonceOf(call.order)))
            fail('only its own burn undoes an order', `${call.digest} is refused`)
        continue
      }
      if (call.name === 'kill' && outcome.length === 0)
        fail('every valid kill writes a new sequence', call.target.subject)
      for (const event of outcome) check(chronicle, state, event, from, call, time, before)
    }
    return null
  } catch (error) {
    if (error instanceof Violation) return error
    throw error
  }
}

const fail = (invariant: string, detail: string): never => {
  throw new Violation(invariant, detail)
}
const nonceOf = ({ authority, nonce }: KillOrder): string => `${authority}:${nonce}`

/** Whether somebody was appointed guardian and not dismissed more than one cool-down ago. */
const guards = ({ guardians }: Chronicle, owner: Hex, who: Hex, time: number): boolean => {
  const appointed = guardians.get(`${owner}:${who}`)
  return appointed !== undefined && (appointed.dismissed === null || time < appointed.dismissed + cooldown)
}

function isEntitled(
  chronicle: Chronicle,
  { registry }: ContractState,
  who: Hex,
  target: Target,
  time: number,
): boolean {
  if (target.scope !== Scope.Agent) return false
  const label = subjectLabel(target)
  const agent = registry.agents.get(label)
  if (agent === undefined) return false
  const transfer = chronicle.transfers.get(label)
  return (
    guards(chronicle, agent.owner, who, time) ||
    (transfer !== undefined &&
      time < transfer.time + cooldown &&
      guards(chronicle, transfer.former, who, time))
  )
}

/** The owner of what an order is over, and whether it is signed by the owner or a guardian. */
function actsForOwner(
  chronicle: Chronicle,
  { registry }: ContractState,
  order: KillOrder,
  time: number,
): { readonly owner: Hex | null; readonly acts: boolean } {
  if (order.scope > Scope.Owner) return { owner: null, acts: false }
  const label = subjectLabel(order)
  const owner = order.scope === Scope.Owner ? (label as Hex) : (registry.agents.get(label)?.owner ?? null)
  const { authority } = order
  return {
    owner,
    acts: owner !== null && (authority === owner || guards(chronicle, owner, authority, time)),
  }
}

/** The kills of a target that stand: since its last resume, and above the owner's since that was left alone. */
const standing = ({ kills, resumedAt, loweredAt }: Chronicle, key: string): readonly Kill[] =>
  kills.filter(
    (kill) =>
      targetKey(kill) === key &&
      kill.sequence > (resumedAt.get(key) ?? 0) &&
      (kill.isOwners || kill.sequence > (loweredAt.get(key) ?? 0)),
  )

const isActive = (chronicle: Chronicle, target: Target): boolean =>
  standing(chronicle, targetKey(target)).length > 0

/** The kills that a resume of the target lifts. */
function lifted(chronicle: Chronicle, owner: Hex | null, target: Target): readonly Kill[] {
  const key = targetKey(target)
  const own = standing(chronicle, key)
  if (target.scope !== Scope.Agent || owner === null) return own
  const since = chronicle.resumedAt.get(key) ?? 0
  return [
    ...own,
    ...standing(chronicle, targetKey(ownerTarget(owner))).filter((kill) => kill.sequence > since),
  ]
}

function check(
  chronicle: Chronicle,
  state: ContractState,
  event: RegistryEvent,
  from: Hex,
  call: Call,
  time: number,
  before: {
    readonly agents: ReadonlyMap<string, { readonly owner: Hex; readonly agentType: string | null }>
    readonly killed: ReadonlySet<string>
    readonly rank: Rank
    readonly required: number
    readonly burnRank: number
  },
): void {
  const { kills, resumedAt, requests, resumeRequested, transfers } = chronicle
  switch (event.type) {
    case 'AgentRegistered':
      if (isActive(chronicle, ownerTarget(event.owner)))
        fail('a killed wallet registers nothing', event.owner)
      resumedAt.set(targetKey(agentTarget(event.uuid)), event.sequence)
      return
    case 'Killed':
      if (event.orderDigest !== null) {
        if (chronicle.landed.has(event.orderDigest)) fail('an order lands once', event.orderDigest)
        chronicle.landed.add(event.orderDigest)
      }
      kills.push({
        ...event,
        time,
        isTransfer: event.reason === Reason.Transferred,
        isOwners: event.rank === Rank.Owner,
      })
      return
    case 'ResumeRequested':
      requests.set(targetKey(event), { time, sequence: event.sequence })
      return
    case 'Resumed':
    case 'RankLowered': {
      const key = targetKey(event)
      const request = requests.get(key) ?? fail('a resume was requested', key)
      const agent = event.scope === Scope.Agent ? before.agents.get(subjectLabel(event)) : undefined
      const owner = event.scope === Scope.Owner ? (subjectLabel(event) as Hex) : (agent?.owner ?? null)
      const lowers = event.type === 'RankLowered'
      for (const kill of lowers ? standing(chronicle, key) : lifted(chronicle, owner, event)) {
        if (before.rank < kill.rank)
          fail('a resume needs the highest rank', `${from} lifts rank ${kill.rank}`)
        if (!kill.isTransfer && time < kill.time + cooldown)
          fail('a resume waits out the cool-down', `${time - kill.time} s after the kill`)
        if (kill.isOwners && !lowers && from !== owner)
          fail('an owner’s kill is lifted by its owner alone', `${from} lifts one of ${owner}`)
      }
      const covering = [
        key,
        targetKey(fleetTarget),
        ...(agent === undefined
          ? []
          : [ownerTarget(agent.owner), agentTypeTarget(agent.agentType ?? '')].map(targetKey)),
      ]
      if (kills.some((kill) => covering.includes(targetKey(kill)) && kill.sequence > request.sequence))
        fail('a later kill voids the request', key)
      resumeRequested.set(key, request.time)
      requests.delete(key)
      if (lowers) {
        if (from === owner) fail('an owner lifts its own kill', key)
        chronicle.loweredAt.set(key, state.registry.sequence)
        if (!isActive(chronicle, event)) fail('an owner’s kill stands below a higher one', key)
        return
      }
      const transfer = event.scope === Scope.Agent ? transfers.get(subjectLabel(event)) : undefined
      if (transfer?.keySet === false) fail('a resume after a transfer needs another key', key)
      resumedAt.set(key, event.sequence)
      return
    }
    case 'AgentTransferred': {
      if (before.killed.has(event.uuid)) fail('a killed agent is not transferred', event.uuid)
      if (isActive(chronicle, ownerTarget(event.newOwner)))
        fail('a killed wallet receives nothing', event.newOwner)
      if (time < (transfers.get(event.uuid)?.time ?? 0) + cooldown)
        fail('a transferred agent stays for one cool-down', event.uuid)
      const agent = state.registry.agents.get(event.uuid)
      if (agent === undefined || !isKilled(agent, stateIn(state.registry)))
        fail('a transfer kills', event.uuid)
      transfers.set(event.uuid, { former: event.formerOwner, time, keySet: false })
      return
    }
    case 'KeyChanged': {
      const transfer = transfers.get(event.uuid)
      if (transfer !== undefined) transfer.keySet = true
      return
    }
    case 'GuardianAppointed':
      chronicle.guardians.set(`${event.owner}:${event.guardian}`, { dismissed: null })
      return
    case 'GuardianDismissed':
      chronicle.guardians.set(`${event.owner}:${event.guardian}`, { dismissed: time })
      return
    case 'OrderLanded': {
      if (call.name !== 'killBySig') return
      chronicle.landedNonces.add(nonceOf(call.order))
      if (Number(call.order.issuedAt) < (resumeRequested.get(targetKey(call.order)) ?? 0))
        fail('an order of before a resume is void', event.orderDigest)
      if (time >= (chronicle.burnt.get(event.orderDigest) ?? Number.POSITIVE_INFINITY))
        fail('a burnt order does not land', event.orderDigest)
      return
    }
    case 'OrderBurned':
      if (event.effectiveAt < time + cooldown) fail('a burn takes one cool-down', event.orderDigest)
      if (before.burnRank < before.required)
        fail('a burn needs the rank', `${from} burns rank ${before.required}`)
      if (call.name === 'burnOrder') {
        const { owner, acts } = actsForOwner(chronicle, state, call.order, time)
        if (acts && from !== owner)
          fail('an owner’s order is burnt by its owner alone', `${from} burns one of ${event.authority}`)
      }
      chronicle.burnt.set(event.orderDigest, event.effectiveAt)
  }
}

function anyCall(
  random: Random,
  { registry, clearedKeys }: ContractState,
  orders: { readonly order: KillOrder; readonly digest: Hex }[],
  time: number,
): { readonly from: Hex; readonly call: Call } {
  const uuids = [...registry.agents.keys()]
  const anyTarget = (): Target => {
    const draw = random.next()
    if (draw < 0.6 && uuids.length > 0) return agentTarget(random.pick(uuids))
    if (draw < 0.93) return ownerTarget(random.pick(people.owners))
    return draw < 0.97 ? agentTypeTarget(random.pick(agentTypes)) : fleetTarget
  }
  const mostly = (able: readonly Hex[]): Hex =>
    able.length > 0 && random.chance(0.8) ? random.pick(able) : random.pick(roles)
  const killers = (target: Target) =>
    roles.filter((who) => killRankOf(registry, who, target, time) > Rank.None)
  const resumers = (target: Target) => roles.filter((who) => resumeRankOf(registry, who, target) > Rank.None)
  const killed = [...registry.states].flatMap(([key, one]): Target[] => {
    const [scope, subject] = key.split(':')
    return one.killedAt > one.aliveSince ? [{ scope: Number(scope) as Scope, subject: subject as Hex }] : []
  })
  const wanted = (): Target => (killed.length > 0 && random.chance(0.9) ? random.pick(killed) : anyTarget())
  const key = (): Hex => `0x${random.hex(64)}`
  const someAgent = uuids.length > 0 ? registry.agents.get(random.pick(uuids)) : undefined
  const moved = [...registry.agents.values()].find((agent) => agent.formerUntil > time)
  if (moved !== undefined && random.chance(0.5)) {
    const { uuid, owner } = moved
    const target = agentTarget(uuid)
    if (random.chance(0.2))
      return { from: random.pick(people.guardians), call: { name: 'kill', target, reason: 1 } }
    if (moved.key === null) return { from: owner, call: { name: 'setKey', uuid, key: key() } }
    if (!isKilled(moved, stateIn(registry)))
      return { from: owner, call: { name: 'transfer', uuid, to: random.pick(people.owners) } }
    const isPending = registry.resumeRequests.has(targetKey(target))
    return { from: owner, call: { name: isPending ? 'resume' : 'requestResume', target } }
  }
  const draw = random.next() * 100
  if (someAgent === undefined || (draw < 4 && uuids.length < 6)) {
    const uuid = random.uuid().replace(/-4/, '-8')
    agentIdFromUuid(uuid)
    return {
      from: random.pick(people.owners),
      call: { name: 'register', uuid, agentType: random.pick(agentTypes), key: key() },
    }
  }
  const { uuid, owner } = someAgent
  if (draw < 18) {
    const target = anyTarget()
    return {
      from: random.chance(0.3) ? random.pick(people.guardians) : mostly(killers(target)),
      call: { name: 'kill', target, reason: 1 },
    }
  }
  if (draw < 40) {
    const target = wanted()
    return { from: mostly(resumers(target)), call: { name: 'requestResume', target } }
  }
  if (draw < 64) {
    const target = wanted()
    return { from: mostly(resumers(target)), call: { name: 'resume', target } }
  }
  if (draw < 72) {
    const cleared = clearedKeys.get(uuid)
    return {
      from: owner,
      call: { name: 'setKey', uuid, key: cleared !== undefined && random.chance(0.2) ? cleared : key() },
    }
  }
  if (draw < 80) return { from: owner, call: { name: 'transfer', uuid, to: random.pick(people.owners) } }
  if (draw < 84)
    return {
      from: random.pick(people.owners),
      call: { name: 'appointGuardian', guardian: random.pick(people.guardians) },
    }
  if (draw < 87)
    return {
      from: random.pick(people.owners),
      call: { name: 'dismissGuardian', guardian: random.pick(people.guardians) },
    }
  if (draw < 88)
    return {
      from: people.governance,
      call: { name: 'setBreaker', breaker: people.breaker, admitted: random.chance(0.7) },
    }
  if (draw < 92 || orders.length === 0) {
    const target = anyTarget()
    const { scope, subject } = target
    const order: KillOrder = {
      authority: mostly(killers(target)),
      scope,
      subject,
      reason: 2,
      text: '',
      issuedAt: BigInt(time),
      deadline: BigInt(time + 4_000),
      nonce: BigInt(random.int(4)),
    }
    orders.push({ order, digest: key() })
  }
  const { order, digest } = random.pick(orders.slice(-8))
  if (draw < 97)
    return {
      from: people.stranger,
      call: { name: 'killBySig', order, digest, signature: signatureOf(order.authority, digest) },
    }
  return { from: mostly(resumers(order)), call: { name: 'burnOrder', order, digest } }
}
