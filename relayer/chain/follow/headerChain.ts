import type { Hex } from '../../../protocol/hex.ts'
import type { ChainBlockHeader } from '../../kill/chainPort.ts'

/**
 * The headers that this node holds for canonical, from the grant point (first) to the tip (last).
 *
 * Invariants: never empty; each number follows its predecessor's and each parentHash is its predecessor's hash.
 */
export type HeaderChain = readonly [ChainBlockHeader, ...ChainBlockHeader[]]

export const grantPointOf = (chain: HeaderChain): ChainBlockHeader => chain[0]

export const tipOf = (chain: HeaderChain): ChainBlockHeader => chain[chain.length - 1] as ChainBlockHeader

/** The header at a height, if the chain reaches from below to above it. */
export const headerAt = (chain: HeaderChain, number: number): ChainBlockHeader | undefined =>
  chain[number - chain[0].number]

export const isOn = (chain: HeaderChain, header: ChainBlockHeader): boolean =>
  headerAt(chain, header.number)?.hash === header.hash

/** What a header says about the chain; the numbers are those of {@link reconcile}. */
export type Reconciliation =
  | { readonly case: 'known' }
  | { readonly case: 'extends' }
  | { readonly case: 'gap'; readonly from: number; readonly to: number }
  | { readonly case: 'fork'; readonly drop: readonly ChainBlockHeader[]; readonly fetch: Hex | null }
  | { readonly case: 'behind' }

/** A header contradicts the grant point: what was granted may never have happened. */
export class GrantPointForkedError extends Error {
  override readonly name = 'GrantPointForkedError'
  readonly grantPoint: ChainBlockHeader
  readonly header: ChainBlockHeader
  constructor(grantPoint: ChainBlockHeader, header: ChainBlockHeader) {
    super(
      `block ${header.number} (${header.hash}, parent ${header.parentHash}) does not descend from the grant point, block ` +
        `${grantPoint.number} (${grantPoint.hash}): the chain was reorganised below it, or the RPC follows another chain. ` +
        'Nothing is granted. Check the RPCs; if they are right, start with an empty store and a later grant point',
    )
    this.grantPoint = grantPoint
    this.header = header
  }
}

/**
 * Compares a header with the chain.
 *
 * 1. known: its hash is in the chain, at the tip or (an RPC that lags) below. Nothing to do.
 * 2. extends: it is the tip's child. Append it.
 * 3. gap: it lies more than one above the tip. Fetch the headers `from`..`to` (inclusive), then reconcile the lowest.
 * 4. fork: it is at or just above the tip and no child of the block below it. Once it is taken, `drop` (highest first)
 *    are no longer canonical. `fetch` is its parent's hash if that is unknown: fetch and reconcile that first; its own
 *    `drop` then includes this one. If `fetch` is null, the header connects.
 * 5. At or below the grant point, where the chain keeps no headers: behind, if it is lower (an RPC that lags proves
 *    nothing), else an error, because two different blocks cannot both be final.
 *
 * @throws {GrantPointForkedError}
 */
export function reconcile(chain: HeaderChain, header: ChainBlockHeader): Reconciliation {
  const grantPoint = grantPointOf(chain)
  const tip = tipOf(chain)
  if (headerAt(chain, header.number)?.hash === header.hash) return { case: 'known' }
  if (header.number > tip.number + 1) return { case: 'gap', from: tip.number + 1, to: header.number - 1 }
  if (header.number === tip.number + 1 && header.parentHash === tip.hash) return { case: 'extends' }
  if (header.number < grantPoint.number) return { case: 'behind' }
  const parent = headerAt(chain, header.number - 1)
  if (parent === undefined) throw new GrantPointForkedError(grantPoint, header)
  if (parent.hash === header.parentHash) {
    return { case: 'fork', drop: above(chain, parent.number), fetch: null }
  }
  if (parent === grantPoint) throw new GrantPointForkedError(grantPoint, header)
  return { case: 'fork', drop: above(chain, parent.number - 1), fetch: header.parentHash }
}

/** The headers above a height, highest first. */
export const above = (chain: HeaderChain, number: number): readonly ChainBlockHeader[] =>
  chain.filter((header) => header.number > number).reverse()

/** The chain without what lies above a height, which must not be below the grant point. */
export const truncated = (chain: HeaderChain, number: number): HeaderChain => [
  chain[0],
  ...chain.slice(1).filter((header) => header.number <= number),
]

/** Headers that do not link up: a bug of the caller. */
export class UnlinkedHeaderError extends Error {
  override readonly name = 'UnlinkedHeaderError'
  readonly tip: ChainBlockHeader
  readonly header: ChainBlockHeader
  constructor(tip: ChainBlockHeader, header: ChainBlockHeader) {
    super(
      `block ${header.number} (${header.hash}) is no child of ${tip.number} (${tip.hash}); reconcile it first`,
    )
    this.tip = tip
    this.header = header
  }
}

/** @throws {UnlinkedHeaderError} */
export function extended(chain: HeaderChain, headers: readonly ChainBlockHeader[]): HeaderChain {
  let tip = tipOf(chain)
  for (const header of headers) {
    if (header.number !== tip.number + 1 || header.parentHash !== tip.hash)
      throw new UnlinkedHeaderError(tip, header)
    tip = header
  }
  return [...chain, ...headers]
}

/** The chain from a new grant point on; null if it does not hold that block. */
export function grantedTo(chain: HeaderChain, grantPoint: ChainBlockHeader): HeaderChain | null {
  if (headerAt(chain, grantPoint.number)?.hash !== grantPoint.hash) return null
  const [first, ...rest] = chain.slice(grantPoint.number - chain[0].number)
  return first === undefined ? null : [first, ...rest]
}
