import { type Deployment, deploymentId } from '../../protocol/deployment.ts'
import { isRevoked, type RevocationLookup } from '../../protocol/revocation.ts'
import { parseSpiffeId } from '../../protocol/spiffeId.ts'
import type { Clock } from '../clock.ts'
import type { Crl } from './crl.ts'
import type { IdentityProvider } from './provider.ts'
import type { SvidRecord } from './svidRecord.ts'

/** ms; a list of the same table is made anew only after this, for the SVIDs that have come or expired since. */
const maxAge = 60_000
/** ms between two lists, however fast kills come: reading is public, and making one takes tens of ms. */
const minAge = 1_000

/**
 * The list of revoked SVIDs, for those who cannot follow the feed. Made when somebody asks and the table has changed;
 * it is always later than the feed, and whoever relies on it alone is as late as he asks.
 */
export function createRevocationList(options: {
  readonly provider: Pick<IdentityProvider, 'crl'>
  readonly table: RevocationLookup
  readonly deployment: Deployment
  /** Number of the last feed message. */
  readonly published: () => number
  readonly validSvids: (now: number) => Promise<readonly SvidRecord[]>
  /** When a kill of any age was seen, in ms. */
  readonly killedAt: (killId: string) => Promise<number | undefined>
  readonly clock: Clock
}): () => Promise<Crl> {
  const { provider, table, deployment, published, validSvids, killedAt, clock } = options
  let last: { readonly crl: Promise<Crl>; readonly number: number; readonly at: number } | null = null

  const make = async (): Promise<Crl> => {
    const now = clock.wall()
    const svids = await validSvids(now)
    const revoked = svids.flatMap(({ serial, spiffeId, owner, generation }) => {
      const claims = {
        spiffeId: parseSpiffeId(spiffeId),
        owner,
        generation,
        deployment: deploymentId(deployment),
      }
      const verdict = isRevoked(claims, table, deployment)
      if (!verdict.revoked || verdict.why !== 'killed') return []
      return [{ serial, killId: verdict.row.killId }]
    })
    const moments = new Map<string, number>()
    for (const { killId } of revoked)
      if (!moments.has(killId)) moments.set(killId, (await killedAt(killId)) ?? now)
    return provider.crl(
      revoked.map(({ serial, killId }) => ({ serial, revokedAt: moments.get(killId) ?? now })),
    )
  }

  return async () => {
    const at = clock.monotonic()
    const number = published()
    const age = last === null ? Number.POSITIVE_INFINITY : at - last.at
    if (last === null || age > maxAge || (number !== last.number && age > minAge)) {
      const crl = make()
      const made = { crl, number, at }
      last = made
      // A failed one is tried again by the next who asks.
      crl.catch(() => {
        if (last === made) last = null
      })
    }
    return last.crl
  }
}
