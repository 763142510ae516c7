import { type Deployment, deploymentId } from './deployment.ts'
import type { Hex } from './hex.ts'
import type { Rank } from './rank.ts'
import {
  agentTarget,
  agentTypeTarget,
  fleetTarget,
  ownerTarget,
  type Scope,
  type Subject,
  type Target,
  targetKey,
} from './scope.ts'
import { isReservedType, type SpiffeId } from './spiffeId.ts'

/** One recently killed subject in the revocation table. */
export type RevocationRow = {
  readonly scope: Scope
  readonly subject: Subject
  /** Whether a kill from some origin is not final yet; counts as later than every generation. */
  readonly provisional: boolean
  /** Sequence of the latest final kill; 0 if there is none. */
  readonly finalSequence: number
  readonly rank: Rank
  readonly reason: number
  readonly text: string
  /** The kill that last changed the row, as in `GET /kills/{id}`. */
  readonly killId: string
}

/** The revocation table: rows by `targetKey`. */
export type RevocationTable = ReadonlyMap<string, RevocationRow>

/** What judging needs of a table. */
export type RevocationLookup = Pick<RevocationTable, 'get'>

/** What an SVID says of its bearer (docs/protocol.md, Identities). */
export type SvidClaims = {
  readonly spiffeId: SpiffeId
  /** Wallet in lower case; null for workloads that an operator enrolled. */
  readonly owner: Hex | null
  readonly deployment: string
  readonly generation: number
}

export type Verdict =
  | { readonly revoked: false }
  | { readonly revoked: true; readonly why: 'killed'; readonly row: RevocationRow }
  | { readonly revoked: true; readonly why: 'other deployment' }

/** The targets whose kills cover an SVID: four for an agent; none for an enrolled workload, which is no agent. */
export function svidTargets(svid: SvidClaims): readonly Target[] {
  const { type, name } = svid.spiffeId
  if (isReservedType(type)) return []
  // An agent without an owner is no valid SVID (readSvidClaims refuses it); if one gets here, the rest still covers it.
  const owner = svid.owner === null ? [] : [ownerTarget(svid.owner)]
  return [agentTarget(name), ...owner, agentTypeTarget(type), fleetTarget]
}

/**
 * The one rule of enforcement (docs/protocol.md, Liveness): revoked if a provisional kill covers one of the SVID's
 * subjects, or a final kill of one is later than its generation. An SVID of another deployment is always refused.
 */
export function isRevoked(svid: SvidClaims, table: RevocationLookup, deployment: Deployment): Verdict {
  if (svid.deployment !== deploymentId(deployment)) return { revoked: true, why: 'other deployment' }
  for (const target of svidTargets(svid)) {
    const row = table.get(targetKey(target))
    // Written so that a generation that is no number is revoked.
    if (row !== undefined && (row.provisional || !(row.finalSequence <= svid.generation))) {
      return { revoked: true, why: 'killed', row }
    }
  }
  return { revoked: false }
}
