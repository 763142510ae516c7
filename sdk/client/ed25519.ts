import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { toBase64Url } from '../../protocol/bytes.ts'
import type { Verify } from '../../protocol/feed/message.ts'

/** Ed25519 verification with node:crypto; keeps the parsed form of the last keys. */
export function createEd25519Verify(): Verify {
  const keys = new Map<string, KeyObject>()
  return (bytes, signature, publicKey) => {
    const x = toBase64Url(publicKey)
    let key = keys.get(x)
    if (key === undefined) {
      key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
      if (keys.size >= 64) keys.clear()
      keys.set(x, key)
    }
    return signature.length === 64 && verify(null, bytes, key, signature)
  }
}
