import { hash } from 'node:crypto'
import { toBase64Url } from '../../protocol/bytes.ts'
import type { Sign, Verify } from '../../protocol/feed/message.ts'

/** Stands for an Ed25519 key: whoever lacks `sign` cannot make what `verifyFeed` takes. */
export type FeedKey = { readonly publicKey: string; readonly sign: Sign }

const signatureOf = (publicKey: string, bytes: Uint8Array): Buffer =>
  hash('sha512', Buffer.concat([Buffer.from(publicKey), bytes]), 'buffer')

export function createFeedKey(digits: string): FeedKey {
  const publicKey = toBase64Url(Buffer.from(digits, 'hex'))
  return { publicKey, sign: (bytes) => signatureOf(publicKey, bytes) }
}

export const verifyFeed: Verify = (bytes, signature, publicKey) =>
  signatureOf(toBase64Url(publicKey), bytes).equals(signature)
