import type { Deployment } from '../../protocol/deployment.ts'
import {
  isRevoked,
  type RevocationRow,
  type RevocationTable,
  type SvidClaims,
} from '../../protocol/revocation.ts'
import type { FeedFreshness } from './feedClient.ts'

/** One relayer's view at this moment. */
export type FeedView = {
  readonly relayer: string
  readonly table: RevocationTable
  readonly freshness: FeedFreshness
}

export type Judgement =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly why: 'killed'; readonly row: RevocationRow; readonly relayer: string }
  | { readonly allowed: false; readonly why: 'other deployment'; readonly deployment: string }
  | { readonly allowed: false; readonly why: 'expired'; readonly notAfter: number }
  | {
      readonly allowed: false
      readonly why: 'no fresh feed'
      readonly fresh: number
      readonly needed: number
      readonly feeds: readonly { readonly relayer: string; readonly freshness: FeedFreshness }[]
    }

export const countFresh = (feeds: readonly FeedView[]): number =>
  feeds.filter((feed) => feed.freshness === 'fresh').length

/**
 * Whether a peer may go on. Any relayer's row suffices to revoke, a stale relayer's too; to be let in takes `minFresh`
 * fresh feeds. Revocation is asked first, so that a killed peer hears of its kill and not of the feed.
 * @param notAfter end of the SVID in ms of wall time; null where the caller has judged it
 */
export function judge(
  peer: { readonly claims: SvidClaims; readonly notAfter: number | null },
  feeds: readonly FeedView[],
  rules: { readonly deployment: Deployment; readonly minFresh: number; readonly wall: number },
): Judgement {
  if (feeds.length === 0) {
    const verdict = isRevoked(peer.claims, new Map(), rules.deployment)
    if (verdict.revoked)
      return { allowed: false, why: 'other deployment', deployment: peer.claims.deployment }
  }
  for (const feed of feeds) {
    const verdict = isRevoked(peer.claims, feed.table, rules.deployment)
    if (!verdict.revoked) continue
    return verdict.why === 'killed'
      ? { allowed: false, why: 'killed', row: verdict.row, relayer: feed.relayer }
      : { allowed: false, why: 'other deployment', deployment: peer.claims.deployment }
  }
  if (peer.notAfter !== null && peer.notAfter < rules.wall) {
    return { allowed: false, why: 'expired', notAfter: peer.notAfter }
  }
  const fresh = countFresh(feeds)
  if (fresh < Math.max(1, rules.minFresh)) {
    return {
      allowed: false,
      why: 'no fresh feed',
      fresh,
      needed: Math.max(1, rules.minFresh),
      feeds: feeds.map(({ relayer, freshness }) => ({ relayer, freshness })),
    }
  }
  return { allowed: true }
}
