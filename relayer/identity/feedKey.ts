import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createSecretFile, readSecretFile } from './secretFile.ts'

/** The relayer's own key: what it signs is what it published. */
export type FeedKey = {
  /** Raw Ed25519 public key, base64url: the relayer's name in feed messages and attestations. */
  readonly publicKey: string
  /** Ed25519 (RFC 8032), 64 octets. Everything signed starts with a tag of its own (docs/protocol.md). */
  readonly sign: (bytes: Uint8Array) => Uint8Array
}

export class UnusableFeedKeyError extends Error {
  override readonly name = 'UnusableFeedKeyError'
  readonly path: string
  constructor(file: string, why: string) {
    super(
      `${file} is no feed key to use: ${why}; restore it from a backup, or move it away to start a new one`,
    )
    this.path = file
  }
}

function feedKey(file: string, key: KeyObject): FeedKey {
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new UnusableFeedKeyError(file, `its key is ${key.asymmetricKeyType}, not Ed25519`)
  }
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  return { publicKey: x, sign: (bytes) => sign(null, bytes, key) }
}

/**
 * The key of a PKCS#8 PEM file of mode 0600, made where there is none.
 * @throws {SecretFileExposedError} or UnusableFeedKeyError
 */
export function openFeedKey(file: string): FeedKey {
  let pem = readSecretFile(file)
  if (pem === null) {
    const { privateKey } = generateKeyPairSync('ed25519')
    createSecretFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
    pem = readSecretFile(file) as string
  }
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    // The cause is left out: nothing of a key file may reach a log.
    throw new UnusableFeedKeyError(file, 'it holds no private key in PEM')
  }
  return feedKey(file, key)
}
