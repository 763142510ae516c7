import type { SvidClaims } from '../revocation.ts'
import { InvalidSvidError, readSvidClaims, type SubjectAttribute } from '../svidSubject.ts'
import { isSigningCertificate, keyUsageBit, readCertificate, readKeyUsage, readUris } from './certificate.ts'
import { type DerElement, derTag, readChildren, readOid, readText } from './der.ts'
import { isP256Spki } from './spki.ts'

/** An X.509-SVID as an enforcement point judges it. */
export type Svid = {
  readonly claims: SvidClaims
  /** ms */
  readonly notBefore: number
  /** ms; the SVID is valid through this second. */
  readonly notAfter: number
  /** Lower-case hexadecimal without leading zero octets, as CRLs and logs name the certificate. */
  readonly serial: string
}

/** Octets; more than any SVID of this project. Keeps reading cheap whatever a peer sends. */
export const maxSvidLength = 8192

/** Attributes that carry claims (X.520, sections 6.2.9 and 6.4.2; RFC 4519, section 2.39). */
const attributeNames = new Map([
  ['2.5.4.11', 'OU'],
  ['2.5.4.5', 'serialNumber'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
])

/**
 * Reads an X.509-SVID of this project from DER: X509-SVID standard, sections 2 to 5 (one URI SAN, a leaf that signs
 * for nobody), and docs/protocol.md, Identities (P-256 and the claims in the Subject).
 *
 * It says what a certificate claims, not who signed it: chain and time are the TLS library's to verify. DER is read
 * here because the text that Node prints of a Subject cannot be taken apart safely.
 * @throws {InvalidSvidError} or InvalidSpiffeIdError or InvalidDerError
 */
export function readSvid(der: Uint8Array): Svid {
  if (der.length > maxSvidLength) {
    throw new InvalidSvidError('certificate', `has ${der.length} octets, more than ${maxSvidLength}`)
  }
  const certificate = readCertificate(der)
  if (!isP256Spki(certificate.spki)) throw new InvalidSvidError('public key', 'is no P-256 key')
  if (isSigningCertificate(certificate)) {
    throw new InvalidSvidError('basicConstraints', 'are those of a signing certificate')
  }
  const usage = readKeyUsage(certificate)
  if ((usage & keyUsageBit.digitalSignature) === 0) {
    throw new InvalidSvidError('keyUsage', 'lacks digitalSignature or is not critical')
  }
  if ((usage & (keyUsageBit.keyCertSign | keyUsageBit.crlSign)) !== 0) {
    throw new InvalidSvidError('keyUsage', 'lets the key sign certificates or revocations')
  }
  const claims = readSvidClaims(readUris(certificate), readSubject(certificate.subject))
  return {
    claims,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    serial: certificate.serial,
  }
}

/** RFC 5280, section 4.1.2.4, but with one attribute per RDN: `A=1+B=2` has more than one reading. */
function readSubject(element: DerElement): readonly SubjectAttribute[] {
  return readChildren(element, derTag.sequence, 'subject').map((rdn) => {
    const [attribute, ...others] = readChildren(rdn, derTag.set, 'subject')
    if (attribute === undefined || others.length > 0) {
      throw new InvalidSvidError('subject', `has an RDN of ${others.length + 1} attributes, not one`)
    }
    const [type, value, ...more] = readChildren(attribute, derTag.sequence, 'subject')
    if (more.length > 0) throw new InvalidSvidError('subject', 'has an attribute of more than two parts')
    const id = readOid(type, 'subject')
    // An unknown type keeps its OID as name: nothing that a certificate says can spell a short name.
    return { type: attributeNames.get(id) ?? id, value: readText(value, `subject ${id}`) }
  })
}
