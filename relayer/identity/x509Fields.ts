import { hash } from 'node:crypto'
import { p256PointLength } from '../../protocol/x509/spki.ts'
import { der, derTrue, objectIdentifier, octetString, sequence, set } from './der.ts'

/** AlgorithmIdentifier ecdsa-with-SHA256 (RFC 5758, section 3.2): no parameters. */
export const ecdsaWithSha256: Uint8Array = sequence(objectIdentifier('1.2.840.10045.4.3.2'))

/** An RDN of one attribute (RFC 5280, section 4.1.2.4). @param value an encoded string */
export const relativeName = (type: Uint8Array, value: Uint8Array): Uint8Array => set(sequence(type, value))

/** An Extension (RFC 5280, section 4.1.2.9). @param id dotted */
export const extension = (id: string, critical: boolean, value: Uint8Array): Uint8Array =>
  sequence(objectIdentifier(id), ...(critical ? [derTrue] : []), octetString(value))

/**
 * The key identifier of a P-256 SubjectPublicKeyInfo: the leftmost 160 bits of the SHA-256 of its subjectPublicKey
 * (RFC 7093, section 2, method 1).
 */
export const keyIdentifier = (spki: Uint8Array): Uint8Array =>
  hash('sha256', spki.subarray(spki.length - p256PointLength), 'buffer').subarray(0, 20)

/** authorityKeyIdentifier with the key's identifier only (RFC 5280, section 4.2.1.1). */
export const authorityKeyIdentifier = (keyId: Uint8Array): Uint8Array =>
  extension('2.5.29.35', false, sequence(der(0x80, keyId)))

/** subjectKeyIdentifier (RFC 5280, section 4.2.1.2). */
export const subjectKeyIdentifier = (keyId: Uint8Array): Uint8Array =>
  extension('2.5.29.14', false, octetString(keyId))
