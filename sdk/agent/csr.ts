import { type KeyObject, sign } from 'node:crypto'

/** DER: a tag, the length and the content. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = 0x30
/** RFC 5758, section 3.2: ecdsa-with-SHA256 = 1.2.840.10045.4.3.2, without parameters. */
const ecdsaWithSha256 = Buffer.from('300a06082a8648ce3d040302', 'hex')

/**
 * A certification request (RFC 2986, section 4) that only proves possession of a P-256 key: the issuer knows the
 * subject and names from the attestation, so there are none in it.
 */
export function createCsr(keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }): {
  readonly pem: string
  readonly spki: Uint8Array
} {
  const spki = keys.publicKey.export({ type: 'spki', format: 'der' })
  const version = Buffer.from([0x02, 0x01, 0x00])
  const info = der(sequence, version, der(sequence), spki, der(0xa0))
  const signature = sign('sha256', info, keys.privateKey)
  const request = der(sequence, info, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature))
  const lines = request.toString('base64').match(/.{1,64}/g) ?? []
  return {
    pem: `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`,
    spki,
  }
}
