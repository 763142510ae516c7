import { verify } from 'node:crypto'
import {
  derTag,
  encodingOf,
  expectTag,
  readChildren,
  readContent,
  readDer,
  readInteger,
} from '../../protocol/x509/der.ts'
import { isP256Spki } from '../../protocol/x509/spki.ts'
import { publicKeyOf } from './publicKey.ts'
import { ecdsaWithSha256 } from './x509Fields.ts'

/** A certification request whose signature proved possession of the key. */
export type Csr = {
  readonly der: Uint8Array
  /** DER SubjectPublicKeyInfo of a P-256 key */
  readonly spki: Uint8Array
}

export class InvalidCsrError extends Error {
  override readonly name = 'InvalidCsrError'
  constructor(why: string, cause?: unknown) {
    super(`the CSR is refused: ${why}`, { cause })
  }
}

/** Characters of PEM; a CSR of a P-256 key has about 500. */
export const maxCsrLength = 4096

const pemPattern =
  /^\s*-----BEGIN CERTIFICATE REQUEST-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----\s*$/

/**
 * Reads a PKCS#10 request in PEM and verifies its signature (RFC 2986, section 4; RFC 7468, section 7). Only its key
 * counts: what it asks for as subject or names is not looked at, for the issuer decides these.
 * @throws {InvalidCsrError}
 */
export function readCsr(pem: string): Csr {
  if (pem.length > maxCsrLength)
    throw new InvalidCsrError(`it has ${pem.length} characters, more than ${maxCsrLength}`)
  const base64 = pemPattern.exec(pem)?.[1]?.replace(/\s/g, '')
  if (base64 === undefined) throw new InvalidCsrError('it is not one CERTIFICATE REQUEST in PEM')
  const der = new Uint8Array(Buffer.from(base64, 'base64'))
  if (Buffer.from(der).toString('base64') !== base64) throw new InvalidCsrError('its base64 is malformed')

  const { signed, spki, signature } = readFields(der)
  if (!isP256Spki(spki))
    throw new InvalidCsrError('its key is not P-256 (uncompressed point); make one with prime256v1')
  let proved: boolean
  try {
    proved = verify('sha256', signed, publicKeyOf(spki), signature)
  } catch (cause) {
    throw new InvalidCsrError('its key is no point of P-256', cause)
  }
  if (!proved) throw new InvalidCsrError('its signature does not prove possession of its key')
  return { der, spki }
}

/** CertificationRequest { CertificationRequestInfo { version, subject, spki, [0] attributes }, algorithm, signature }. */
function readFields(der: Uint8Array) {
  try {
    const [info, algorithm, signature, ...more] = readChildren(readDer(der, 'CSR'), derTag.sequence, 'CSR')
    expectTag(info, derTag.sequence, 'CSR')
    const [version, subject, spki, attributes, ...others] = readChildren(info, derTag.sequence, 'CSR')
    expectTag(algorithm, derTag.sequence, 'signature algorithm')
    expectTag(subject, derTag.sequence, 'subject')
    expectTag(spki, derTag.sequence, 'public key')
    expectTag(attributes, 0xa0, 'attributes')
    if (more.length > 0 || others.length > 0) throw new InvalidCsrError('it has too many fields')
    const number = readInteger(version, 'version')
    if (number.length !== 1 || number[0] !== 0) throw new InvalidCsrError('its version is not 1')
    if (!Buffer.from(ecdsaWithSha256).equals(encodingOf(algorithm))) {
      throw new InvalidCsrError('it is not signed by ECDSA with SHA-256')
    }
    const bits = readContent(signature, derTag.bitString, 'signature')
    if (bits[0] !== 0) throw new InvalidCsrError('its signature is no whole number of octets')
    return { signed: encodingOf(info), spki: encodingOf(spki), signature: bits.subarray(1) }
  } catch (cause) {
    if (cause instanceof InvalidCsrError) throw cause
    throw new InvalidCsrError(`it is no PKCS#10 request: ${(cause as Error).message}`, cause)
  }
}
