import { fromBase64Url } from '../../protocol/bytes.ts'
import { type Clocks, createFeedReader, type FeedReader, type Taken } from '../../protocol/feed/reader.ts'

/** Verifies an Ed25519 signature with what the browser has. */
export type VerifyEd25519 = (
  bytes: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array,
) => Promise<boolean>

/** @throws NotSupportedError where the browser has no Ed25519, TypeError outside of secure contexts */
export const webCryptoEd25519: VerifyEd25519 = async (bytes, signature, publicKey) => {
  const key = await crypto.subtle.importKey('raw', publicKey as BufferSource, 'Ed25519', false, ['verify'])
  return crypto.subtle.verify('Ed25519', key, signature as BufferSource, bytes as BufferSource)
}

export type VerifiedReader = Pick<FeedReader, 'table' | 'position' | 'freshness'> & {
  /**
   * Documents are taken in the order in which they are handed over.
   * @param type what the stream calls it, which nobody signed: before a heartbeat the table is hashed in turns
   * @throws FeedRefusedError
   */
  takeMessage(type: string, text: string): Promise<Taken>
  takeSnapshot(text: string): Promise<{ readonly number: number }>
}

/**
 * The reader that enforcement points run, with the browser's asynchronous verification: the signature is checked before
 * the document is handed over, and the reader's own question is answered for exactly those bytes and that signature.
 */
export function createVerifiedReader(options: {
  readonly relayer: string
  readonly deployment: string
  readonly maxStaleness: number
  readonly verify: VerifyEd25519
  readonly clocks: () => Clocks
  /** Asked during long work: what a large table takes to hash would leave the page deaf. */
  readonly mayPause: () => Promise<void> | undefined
}): VerifiedReader {
  const { relayer, deployment, maxStaleness, verify, clocks, mayPause } = options
  const publicKey = fromBase64Url(relayer)
  /** The document under way, while the reader looks at it. */
  let verified: { readonly json: string; readonly signature: string } | null = null
  const decoder = new TextDecoder()
  const reader = createFeedReader({
    relayer,
    deployment,
    maxStaleness,
    verify: (bytes, signature) =>
      verified !== null &&
      decoder.decode(bytes) === verified.json &&
      String.fromCharCode(...signature) === verified.signature,
  })
  let queue: Promise<unknown> = Promise.resolve()

  const taking = <T>(type: string, text: string, take: () => T): Promise<T> => {
    const taken = queue.then(async () => {
      const end = text.indexOf('\n')
      const json = text.slice(0, Math.max(end, 0))
      let isGood = false
      let signature = new Uint8Array()
      try {
        signature = new Uint8Array(fromBase64Url(text.slice(end + 1).trimEnd()))
        isGood = end > 0 && (await verify(new TextEncoder().encode(json), signature, publicKey))
      } catch (error) {
        // An unreadable signature is the reader's to name; a browser that cannot verify is not.
        if ((error as Error).name !== 'InvalidBase64UrlError') throw error
      }
      if (type === 'heartbeat') while (reader.hashSome()) await mayPause()
      verified = isGood ? { json, signature: String.fromCharCode(...signature) } : null
      try {
        return take()
      } finally {
        verified = null
      }
    })
    queue = taken.catch(() => {})
    return taken
  }

  return {
    table: reader.table,
    position: reader.position,
    freshness: reader.freshness,
    takeMessage(type, text) {
      // Of the arrival: neither waiting nor hashing makes a sign of life younger.
      const at = clocks()
      return taking(type, text, () => reader.takeMessage(text, at))
    },
    takeSnapshot(text) {
      const at = clocks()
      return taking('snapshot', text, () => reader.takeSnapshot(text, at))
    },
  }
}
