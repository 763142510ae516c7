import type { Deployment } from '../../protocol/deployment.ts'
import type { Hex } from '../../protocol/hex.ts'
import { longestResumeCooldown } from '../../protocol/policy/bounds.ts'
import { type Agent, stateIn } from '../../protocol/registry.ts'
import { isRevoked, type SvidClaims, svidTargets } from '../../protocol/revocation.ts'
import { formatSpiffeId, isReservedType, parseSpiffeId } from '../../protocol/spiffeId.ts'
import type { Clock } from '../clock.ts'
import type { KillExecutor } from '../kill/executor.ts'
import type { Notes } from '../kill/journalPort.ts'
import type { PolicyReference } from '../policy/policyReference.ts'
import { lastResume } from '../policy/resumeCooldown.ts'
import { IssuanceRefusedError } from './issuanceRefused.ts'
import { type Places, type PlaceTaken, QuotaFilledError } from './places.ts'
import type { SvidRecord } from './svidRecord.ts'

/** The SVID that its bearer shows; `issuedAt` in ms, of whole seconds. */
export type PresentedSvid = {
  readonly claims: SvidClaims
  readonly serial: string
  readonly issuedAt: number
}

export type Issuance = {
  /** For an agent that has just proved its registered key. @param spki DER @throws {IssuanceRefusedError} */
  attested(spiffeId: string, spki: Uint8Array): Promise<SvidRecord>
  /** For the bearer of a valid SVID. @throws {IssuanceRefusedError} */
  renewed(presented: PresentedSvid, spki: Uint8Array): Promise<SvidRecord>
  /** For a workload that an operator enrolled. @throws {IssuanceRefusedError} */
  enrolled(spiffeId: string, spki: Uint8Array): Promise<SvidRecord>
  /** The registered Ed25519 key of an agent that may hold an SVID. @throws {IssuanceRefusedError} */
  keyOf(spiffeId: string): Hex
  /** The latest SVID of each identity. */
  latest(spiffeId: string): SvidRecord | undefined
}

type HowIssued = 'attested' | 'renewed' | 'enrolled'

/** What makes an SVID known to the store and the log. @param policy under which it was decided */
export const issueNotes = (svid: SvidRecord, how: HowIssued, policy: PolicyReference | null): Notes => ({
  svids: [svid],
  audit: [
    {
      action: `SVID ${how}`,
      actor: svid.spiffeId,
      spiffeId: svid.spiffeId,
      time: svid.issuedAt,
      detail: {
        serial: svid.serial,
        generation: svid.generation,
        expiresAt: svid.expiresAt,
        ...(svid.place === undefined ? {} : { place: { owner: svid.owner, ...svid.place } }),
      },
      ...(policy === null ? {} : { policy }),
    },
  ],
})

/** How long a proof of the registered key carries renewals, in ms. */
export const proofLife = 24 * 3600 * 1000

/** Serial numbers are compared without leading zero octets, which certificates do not keep. */
const isSerial = (a: string, b: string): boolean => a.replace(/^(00)+/, '') === b.replace(/^(00)+/, '')

/** Who gets an SVID for which public key (DER), and when possession of the registered key was proved (ms). */
type Request = {
  readonly spiffeId: string
  readonly owner: Hex | null
  readonly spki: Uint8Array
  readonly provedAt: number
}

/** `taken` is null for an agent that has its place already; `quota` if none was asked. */
type PlaceAsked = { readonly taken: PlaceTaken | null; readonly quota: number | null }
const noPlace: PlaceAsked = { taken: null, quota: null }

/** Decides who gets an SVID: never a killed agent, never without a fresh view of the chain, never past a key change. */
export function createIssuance(options: {
  readonly executor: Pick<KillExecutor, 'registry' | 'mayHoldSvid' | 'chainView' | 'table'>
  readonly deployment: Deployment
  readonly trustDomain: string
  /** ms */
  readonly svidLife: number
  readonly clock: Clock
  readonly issue: (request: {
    readonly spiffeId: string
    readonly owner: Hex | null
    readonly generation: number
    readonly spki: Uint8Array
    readonly lifetime: number
  }) => Promise<{ readonly pem: string; readonly serial: string; readonly expiresAt: number }>
  /** Makes the SVID known to the store and the log before it leaves. */
  readonly record: (svid: SvidRecord, how: HowIssued, policy: PolicyReference | null) => Promise<void>
  /** What is in force for an identity; null for workloads, and while no policy is known. */
  readonly policyOf: (spiffeId: string) => PolicyReference | null
  /** Since when a workload is enrolled, in ms; null when it is not. */
  readonly enrolledSince: (spiffeId: string) => number | null
  readonly latest: readonly SvidRecord[]
  readonly places: Places
  /** How many agents an owner may enrol; null where that is not known. Without it no quota is asked. */
  readonly quotaOf?: (owner: Hex) => Promise<number | null>
  /** Seconds of the policy in force for an agent; null while policies are unread; 0 where none are followed. */
  readonly resumeCooldownOf: (agent: Agent) => number | null
}): Issuance {
  const { executor, deployment, trustDomain, svidLife, clock, record, places } = options
  const latest = new Map(options.latest.map((svid) => [svid.spiffeId, svid]))

  const refuseWhenBlind = () => {
    if (executor.chainView().blind) {
      throw new IssuanceRefusedError(
        'blind',
        'relayer',
        'no new head',
        'the relayer has seen no new block for too long and issues nothing; try another relayer',
      )
    }
  }

  /** The agent at the grant point, if it may hold an SVID. */
  const agentOf = (spiffeId: string) => {
    const id = parseSpiffeId(spiffeId)
    const agent =
      id.trustDomain === trustDomain && !isReservedType(id.type)
        ? executor.registry.agents.get(id.name)
        : undefined
    if (agent === undefined || agent.agentType !== id.type) {
      throw new IssuanceRefusedError(
        'unknown agent',
        'spiffeId',
        spiffeId,
        `${spiffeId} is not registered at the grant point`,
      )
    }
    if (!executor.mayHoldSvid(agent)) {
      throw new IssuanceRefusedError(
        'killed',
        'spiffeId',
        spiffeId,
        `${spiffeId} is killed; it gets no SVID until it is resumed and the resume is final`,
        { spiffeId },
      )
    }
    if (agent.key === null) {
      throw new IssuanceRefusedError(
        'no key',
        'spiffeId',
        spiffeId,
        `${spiffeId} has no key since its transfer; its owner must set one`,
        { spiffeId },
      )
    }
    return { agent, key: agent.key }
  }

  /** By the wall clock, or by the chain's where that is ahead: local chains are sent into the future. In seconds. */
  const now = (): number =>
    Math.max(Math.floor(clock.wall() / 1000), executor.chainView().grantPoint?.time ?? 0)

  /** The agent, if it may hold an SVID now: it is alive, and its resume long enough ago for the policy in force. */
  const entitled = (spiffeId: string) => {
    const { agent, key } = agentOf(spiffeId)
    const resume = lastResume(agent, stateIn(executor.registry))
    // It has had its first SVID since: a policy that is tightened later takes nothing back.
    if (resume === null || (latest.get(spiffeId)?.generation ?? -1) >= resume.sequence)
      return { ...agent, key }
    const cooldown = options.resumeCooldownOf(agent)
    if (cooldown === 0) return { ...agent, key }
    const from = resume.requestTime + (cooldown ?? longestResumeCooldown)
    if (now() >= from) return { ...agent, key }
    if (cooldown === null)
      throw new IssuanceRefusedError(
        'policies unread',
        'spiffeId',
        spiffeId,
        `${spiffeId} was resumed, and the relayer has not read yet how long it has to wait; try again, or ask another relayer`,
        { spiffeId },
      )
    throw new IssuanceRefusedError(
      'cooling down',
      'spiffeId',
      spiffeId,
      `${spiffeId} gets its next SVID ${cooldown} s after the request of its resume, at ${new Date(from * 1000).toISOString()}; ask again then`,
      { spiffeId, retryAt: from * 1000 },
    )
  }

  /** A place for an agent that has none yet, if its owner's quota has one left. */
  const placeFor = async (agent: ReturnType<typeof entitled>, spiffeId: string): Promise<PlaceAsked> => {
    const { owner, key } = agent
    const quota = options.quotaOf === undefined || places.holds(agent) ? null : await options.quotaOf(owner)
    // The chain may have moved while it was asked: what was proved must still be what is registered.
    const now = entitled(spiffeId)
    if (now.owner !== owner || now.key !== key)
      throw new IssuanceRefusedError(
        'proof needed',
        'spiffeId',
        spiffeId,
        `owner or key of ${spiffeId} changed while its quota was asked for; attest anew`,
        { spiffeId },
      )
    try {
      return { taken: places.take(now, quota), quota }
    } catch (error) {
      if (!(error instanceof QuotaFilledError)) throw error
      throw new IssuanceRefusedError('quota filled', 'owner', owner, error.message, { spiffeId })
    }
  }

  const requireEnrolled = (spiffeId: string) => {
    if (options.enrolledSince(spiffeId) === null)
      throw new IssuanceRefusedError('other identity', 'svid', spiffeId, `${spiffeId} is not enrolled here`)
  }

  /** Signs an SVID and makes it durable, with the place that it takes. */
  const make = async (
    { spiffeId, owner, spki, provedAt }: Request,
    how: HowIssued,
    place: SvidRecord['place'],
  ): Promise<SvidRecord> => {
    refuseWhenBlind()
    // As of the decision: the chain may move on while it is signed and recorded.
    const generation = executor.registry.sequence
    const policy = options.policyOf(spiffeId)
    const { pem, serial, expiresAt } = await options.issue({
      spiffeId,
      owner,
      generation,
      spki,
      lifetime: svidLife,
    })
    const svid = {
      serial,
      spiffeId,
      owner,
      generation,
      issuedAt: Math.round(clock.wall()),
      expiresAt,
      provedAt,
      certificate: pem,
      ...(place === undefined ? {} : { place }),
    }
    await record(svid, how, policy)
    return svid
  }

  const issue = async (request: Request, how: HowIssued, { taken, quota }: PlaceAsked = noPlace) => {
    const { spiffeId, owner } = request
    const place = taken === null ? undefined : { quota, displaced: taken.displaced }
    let svid: SvidRecord
    try {
      svid = await make(request, how, place)
    } catch (error) {
      taken?.giveBack()
      throw error
    }
    taken?.keep()
    // A kill may have come while the SVID was recorded; its generation is older, so every point refuses it, but it need not
    // leave. Another key or owner no point knows of: an SVID of theirs would live on.
    if (owner === null) requireEnrolled(spiffeId)
    else {
      const agent = entitled(spiffeId)
      if (agent.owner !== owner || agent.keySince > svid.generation)
        throw new IssuanceRefusedError(
          'proof needed',
          'spiffeId',
          spiffeId,
          `owner or key of ${spiffeId} changed while its SVID was recorded; attest anew`,
          { spiffeId },
        )
    }
    latest.set(spiffeId, svid)
    return svid
  }

  return {
    keyOf: (spiffeId) => agentOf(spiffeId).key,
    latest: (spiffeId) => latest.get(spiffeId),

    async attested(spiffeId, spki) {
      refuseWhenBlind()
      const agent = entitled(spiffeId)
      const provedAt = Math.round(clock.wall())
      const place = await placeFor(agent, spiffeId)
      return issue({ spiffeId, owner: agent.owner, spki, provedAt }, 'attested', place)
    },

    enrolled: async (spiffeId, spki) =>
      issue({ spiffeId, owner: null, spki, provedAt: Math.round(clock.wall()) }, 'enrolled'),

    async renewed({ claims, serial, issuedAt }, spki) {
      const spiffeId = formatSpiffeId(claims.spiffeId)
      const verdict = isRevoked(claims, executor.table, deployment)
      if (verdict.revoked)
        throw new IssuanceRefusedError(
          'revoked',
          'svid',
          serial,
          `the presented SVID is revoked (${verdict.why})`,
          { spiffeId },
        )
      // The table forgets rows whose SVIDs have all expired; the registry forgets nothing.
      const overtaken = svidTargets(claims).find(
        (target) => stateIn(executor.registry)(target).killedAt > claims.generation,
      )
      if (overtaken !== undefined) {
        throw new IssuanceRefusedError(
          'revoked',
          'svid',
          serial,
          'the presented SVID is older than a kill; attest anew',
          { spiffeId },
        )
      }
      const had = latest.get(spiffeId)
      if (claims.owner === null) {
        requireEnrolled(spiffeId)
        // Whoever stole an SVID before the enrolment was withdrawn must not live on the next one. (Certificates date by
        // whole seconds.)
        if (issuedAt + 999 < (options.enrolledSince(spiffeId) as number))
          throw new IssuanceRefusedError(
            'other identity',
            'svid',
            serial,
            `the presented SVID is from before ${spiffeId} was enrolled anew; use the new one`,
          )
        const provedAt = had?.provedAt ?? Math.round(clock.wall())
        return issue({ spiffeId, owner: null, spki, provedAt }, 'renewed')
      }
      const { agent } = agentOf(spiffeId)
      if (agent.owner !== claims.owner)
        throw new IssuanceRefusedError(
          'other identity',
          'svid',
          claims.owner,
          `${spiffeId} belongs to ${agent.owner} now; attest anew`,
          { spiffeId },
        )
      if (claims.generation < agent.keySince) {
        throw new IssuanceRefusedError(
          'proof needed',
          'svid',
          claims.generation,
          `the agent's key was set at ${agent.keySince}, after this SVID; attest with the new key`,
          { spiffeId },
        )
      }
      // Only the latest SVID carries its proof on: a thief of an earlier one must not live on the bearer's own attestations.
      if (had === undefined || !isSerial(had.serial, serial) || clock.wall() - had.provedAt > proofLife) {
        throw new IssuanceRefusedError(
          'proof needed',
          'svid',
          serial,
          'the presented SVID is not the latest, or possession of the registered key was last proved over a day ago; attest anew',
          { spiffeId },
        )
      }
      return issue({ spiffeId, owner: agent.owner, spki, provedAt: had.provedAt }, 'renewed')
    },
  }
}
