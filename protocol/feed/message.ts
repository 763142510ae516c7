import { sha256 } from '@noble/hashes/sha2.js'
import { fromBase64Url, toBase64Url } from '../bytes.ts'
import type { RevocationRow } from '../revocation.ts'
import { requireFeedMessage, requireSnapshot } from './shape.ts'

export const feedTag = 'killswitch-feed-v1'
export const snapshotTag = 'killswitch-snapshot-v1'

/** A block as a heartbeat names it; time in Unix seconds. */
export type BlockMark = { readonly number: number; readonly hash: string; readonly time: number }

/** Where a relayer's feed stands: which feed, and its last numbered message with that message's hash. */
export type FeedPosition = {
  /** The relayer's Ed25519 feed key, base64url. */
  readonly relayer: string
  readonly deployment: string
  /** New after a restore from a backup, so that a rolled-back number is never taken for news. */
  readonly epoch: string
  readonly number: number
  readonly previous: string
}

export type RowMessageType = 'kill' | 'final' | 'withdrawn' | 'resumed' | 'dropped'

/** Number `number` of an epoch; `previous` is the hash of number - 1. Time in ms. */
export type RowMessage = FeedPosition & {
  readonly tag: typeof feedTag
  readonly type: RowMessageType
  readonly time: number
  readonly row: RevocationRow
}

/** What a relayer sees of the chain. `blind` = no new head for too long; null before the first block. */
export type ChainView = {
  readonly head: BlockMark | null
  readonly grantPoint: BlockMark | null
  readonly blind: boolean
}

/** Unnumbered sign of life; `number` and `previous` name the last numbered message and its own hash. */
export type HeartbeatMessage = FeedPosition &
  ChainView & {
    readonly tag: typeof feedTag
    readonly type: 'heartbeat'
    readonly time: number
    /** Digest of the whole table, see tableDigest.ts. */
    readonly table: string
  }

export type FeedMessage = RowMessage | HeartbeatMessage

export type Snapshot = FeedPosition &
  ChainView & {
    readonly tag: typeof snapshotTag
    readonly time: number
    readonly rows: readonly RevocationRow[]
  }

export type Sign = (bytes: Uint8Array) => Uint8Array
export type Verify = (bytes: Uint8Array, signature: Uint8Array, publicKey: Uint8Array) => boolean

const encoder = new TextEncoder()

/** Hash of a message's exact JSON, base64url; `previous` of the next one. */
export const messageHash = (json: string): string => toBase64Url(sha256(encoder.encode(json)))

/** `previous` of message number 1. */
export const emptyHash: string = toBase64Url(sha256(new Uint8Array()))

/** Signs a document: its JSON, a line feed and the base64url signature over the JSON's exact bytes. */
export function signDocument(document: FeedMessage | Snapshot, sign: Sign): string {
  // The tag comes first so that the signed bytes say what they are before anything else.
  const { tag, ...rest } = document
  const json = JSON.stringify({ tag, ...rest })
  return `${json}\n${toBase64Url(sign(encoder.encode(json)))}`
}

/** A feed document was not taken; nothing changed. */
export class FeedRefusedError extends Error {
  override readonly name = 'FeedRefusedError'
  readonly kind:
    | 'malformed'
    | 'signature'
    | 'other feed'
    | 'fork'
    | 'rollback'
    | 'stale heartbeat'
    | 'too large'
  constructor(kind: FeedRefusedError['kind'], detail: string, options?: ErrorOptions) {
    super(`feed document refused (${kind}): ${detail}`, options)
    this.kind = kind
  }
}

/**
 * Opens a signed document of a relayer.
 * @returns the object and its exact JSON
 * @throws {FeedRefusedError} malformed, signature, or other feed
 */
export function openDocument<T extends FeedMessage | Snapshot>(
  text: string,
  tag: T['tag'],
  feed: { readonly relayer: string; readonly deployment: string },
  verify: Verify,
): { readonly document: T; readonly json: string } {
  const end = text.indexOf('\n')
  if (end < 0) throw new FeedRefusedError('malformed', 'there is no signature line')
  const json = text.slice(0, end)
  if (!json.startsWith(`{"tag":"${tag}",`))
    throw new FeedRefusedError('malformed', `it does not start with the tag ${tag}`)
  let signature: Uint8Array
  try {
    signature = fromBase64Url(text.slice(end + 1).trimEnd())
  } catch (cause) {
    throw new FeedRefusedError('malformed', 'the signature line is unreadable', { cause })
  }
  if (!verify(encoder.encode(json), signature, fromBase64Url(feed.relayer))) {
    throw new FeedRefusedError('signature', `it is not signed by ${feed.relayer}`)
  }
  let document: T
  try {
    document = JSON.parse(json) as T
  } catch (cause) {
    throw new FeedRefusedError('malformed', 'it is no JSON', { cause })
  }
  // Signed or not: what another reader could read differently (repeated keys, numbers beyond doubles, lone surrogates)
  // or what could not be compared later (a time that is no number) would be a kill for one and none for the other.
  if (JSON.stringify(document) !== json) throw new FeedRefusedError('malformed', 'it has two readings')
  if (document.relayer !== feed.relayer || document.deployment !== feed.deployment) {
    throw new FeedRefusedError('other feed', `it is of ${document.relayer} for ${document.deployment}`)
  }
  try {
    if (tag === snapshotTag) requireSnapshot(document)
    else requireFeedMessage(document)
  } catch (cause) {
    throw new FeedRefusedError('malformed', cause instanceof Error ? cause.message : String(cause), { cause })
  }
  return { document, json }
}
