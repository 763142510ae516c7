import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Deployment } from '../../protocol/deployment.ts'
import type { Hex } from '../../protocol/hex.ts'
import {
  formatSpiffeId,
  InvalidSpiffeIdError,
  isTrustDomain,
  type SpiffeId,
} from '../../protocol/spiffeId.ts'
import { readSvidClaims, svidSubject } from '../../protocol/svidSubject.ts'
import {
  extensionId,
  isSigningCertificate,
  keyUsageBit,
  readCertificate,
  readKeyUsage,
  readUris,
} from '../../protocol/x509/certificate.ts'
import { derTag, encodingOf, readContent, readDer } from '../../protocol/x509/der.ts'
import { isP256Spki } from '../../protocol/x509/spki.ts'
import {
  bitString,
  derTrue,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  printableString,
  sequence,
  time,
  toPem,
  unsignedInteger,
  utf8String,
} from './der.ts'
import { hostName } from './hosts.ts'
import { createSecretFile, readSecretFile } from './secretFile.ts'
import {
  authorityKeyIdentifier,
  ecdsaWithSha256,
  extension,
  keyIdentifier,
  relativeName,
  subjectKeyIdentifier,
} from './x509Fields.ts'

/** Fills a new array with random bytes of cryptographic quality. */
export type RandomBytes = (length: number) => Uint8Array

export type SvidRequest = {
  readonly spiffeId: SpiffeId
  /** Wallet; null for workloads that an operator enrolled. */
  readonly owner: Hex | null
  readonly deployment: Deployment
  /** The sequence at the grant point. */
  readonly generation: number
  /** DER SubjectPublicKeyInfo of a P-256 key whose possession was proved. */
  readonly spki: Uint8Array
  /** ms */
  readonly lifetime: number
  /** DNS names and IP addresses, for servers that ordinary TLS clients verify. */
  readonly hosts?: readonly string[]
  /** ms */
  readonly now: number
}

export type IssuedSvid = {
  readonly der: Uint8Array
  /** The SVID alone: its issuer is a root, which peers have from the bundle. */
  readonly pem: string
  /** ms, a whole second: the certificate's notAfter */
  readonly expiresAt: number
  /** Lower-case hexadecimal, 32 digits. */
  readonly serial: string
}

/** A key that signs SVIDs and CRLs of one trust domain, with its certificate (X509-SVID, section 3). */
export type SigningAuthority = {
  readonly trustDomain: string
  readonly certificate: {
    readonly der: Uint8Array
    readonly pem: string
    /** ms */
    readonly notBefore: number
    /** ms */
    readonly expiresAt: number
  }
  /** DER Name of the certificate's subject: the issuer of what it signs. */
  readonly name: Uint8Array
  /** subjectKeyIdentifier of the certificate. */
  readonly keyId: Uint8Array
  /** ECDSA with SHA-256, in DER. */
  readonly sign: (bytes: Uint8Array) => Uint8Array
  /**
   * Issues an X.509-SVID (X509-SVID, sections 2 to 4; docs/protocol.md, Identities). Whether the bearer may have one
   * is decided before.
   * @throws {SvidRequestError} or SigningAuthorityExpiredError or InvalidHostError, or what readSvidClaims throws
   */
  readonly issueSvid: (request: SvidRequest) => IssuedSvid
}

export class SvidRequestError extends Error {
  override readonly name = 'SvidRequestError'
  readonly field: string
  readonly value: string | number
  constructor(field: string, value: string | number, why: string) {
    super(`no SVID issued: ${field} ${value} ${why}`)
    this.field = field
    this.value = value
  }
}

export class SigningAuthorityExpiredError extends Error {
  override readonly name = 'SigningAuthorityExpiredError'
  readonly expiresAt: number
  constructor(expiresAt: number) {
    super(
      `the signing authority expired at ${new Date(expiresAt).toISOString()}; move ca.key and ca.crt away to start a new one`,
    )
    this.expiresAt = expiresAt
  }
}

export class UnusableSigningAuthorityError extends Error {
  override readonly name = 'UnusableSigningAuthorityError'
  readonly path: string
  constructor(file: string, why: string, cause?: unknown) {
    super(`${file} is no signing authority to use: ${why}`, { cause })
    this.path = file
  }
}

/** ms by which certificates begin earlier, for peers whose clock is behind. */
export const skew = 30_000

/** ms; five years. Replacing it means handing a new bundle to everybody, so it outlives any one release. */
const defaultAuthorityLifetime = 5 * 365 * 86_400_000

/** X.520, sections 6.2.2, 6.2.4 and 6.4.1; of a Subject's claims see docs/protocol.md, Identities. */
const attributeId = {
  commonName: objectIdentifier('2.5.4.3'),
  organization: objectIdentifier('2.5.4.10'),
  OU: objectIdentifier('2.5.4.11'),
  serialNumber: objectIdentifier('2.5.4.5'),
  UID: objectIdentifier('0.9.2342.19200300.100.1.1'),
}

/** X.520 has serialNumber as a PrintableString; the others are DirectoryStrings. */
const subjectAttribute: Readonly<Record<string, (value: string) => Uint8Array>> = {
  OU: (value) => relativeName(attributeId.OU, utf8String(value)),
  UID: (value) => relativeName(attributeId.UID, utf8String(value)),
  serialNumber: (value) => relativeName(attributeId.serialNumber, printableString(value)),
}

const version3 = explicit(0, integer(2))

/** What every leaf has (X509-SVID, sections 4.1, 4.3 and 4.4): signs for nobody, serves and calls. */
const leafExtensions: readonly Uint8Array[] = [
  extension(extensionId.basicConstraints, true, sequence()),
  extension(extensionId.keyUsage, true, bitString(Uint8Array.of(keyUsageBit.digitalSignature), 7)),
  extension(
    '2.5.29.37',
    false,
    sequence(objectIdentifier('1.3.6.1.5.5.7.3.1'), objectIdentifier('1.3.6.1.5.5.7.3.2')),
  ),
]

/** 127 random bits below a fixed one: positive, never zero and always 16 octets (RFC 5280, section 4.1.2.2). */
function randomSerial(random: RandomBytes): Uint8Array {
  const serial = Uint8Array.from(random(16))
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40
  return serial
}

const wholeSecond = (ms: number): number => Math.floor(ms / 1000) * 1000

const spkiOf = (key: KeyObject): Uint8Array => createPublicKey(key).export({ type: 'spki', format: 'der' })

function signedCertificate(key: KeyObject, ...fields: readonly Uint8Array[]): Uint8Array {
  const tbs = sequence(version3, ...fields)
  return sequence(tbs, ecdsaWithSha256, bitString(sign('sha256', tbs, key)))
}

/**
 * A new self-signed SPIFFE signing certificate (X509-SVID, sections 3 and 4) of `key`.
 * @param lifetime ms
 * @param now ms
 */
function authorityCertificate(options: {
  readonly trustDomain: string
  readonly key: KeyObject
  readonly lifetime: number
  readonly now: number
  readonly random: RandomBytes
}): Uint8Array {
  const { trustDomain, key, lifetime, now, random } = options
  const spki = spkiOf(key)
  const keyId = keyIdentifier(spki)
  // The key's identifier makes the name of each authority its own: paths and CRLs are found by name.
  const name = sequence(
    relativeName(attributeId.organization, utf8String('Killswitch')),
    relativeName(
      attributeId.commonName,
      utf8String(`signing authority ${Buffer.from(keyId).toString('hex').slice(0, 16)}`),
    ),
  )
  const uri = implicit(6, new TextEncoder().encode(`spiffe://${trustDomain}`))
  return signedCertificate(
    key,
    unsignedInteger(randomSerial(random)),
    ecdsaWithSha256,
    name,
    sequence(time(now - skew), time(now + lifetime)),
    name,
    spki,
    explicit(
      3,
      sequence(
        // No path length would allow intermediates; none are issued.
        extension(extensionId.basicConstraints, true, sequence(derTrue, integer(0))),
        extension(
          extensionId.keyUsage,
          true,
          bitString(Uint8Array.of(keyUsageBit.keyCertSign | keyUsageBit.crlSign), 1),
        ),
        extension(extensionId.subjectAltName, false, sequence(uri)),
        subjectKeyIdentifier(keyId),
        authorityKeyIdentifier(keyId),
      ),
    ),
  )
}

/** Checks that a certificate is a signing certificate of `key` and `trustDomain`, and gives what signing needs of it. */
function readAuthority(file: string, der: Uint8Array, key: KeyObject, trustDomain: string) {
  const certificate = readCertificate(der)
  const uris = readUris(certificate)
  if (uris.length !== 1 || uris[0] !== `spiffe://${trustDomain}`) {
    throw new UnusableSigningAuthorityError(
      file,
      `it is of ${uris.join(' ') || 'no trust domain'}, not spiffe://${trustDomain}; give that trust domain or another folder`,
    )
  }
  const needed = keyUsageBit.keyCertSign | keyUsageBit.crlSign
  if (!isSigningCertificate(certificate) || (readKeyUsage(certificate) & needed) !== needed) {
    throw new UnusableSigningAuthorityError(file, 'it may not sign certificates and revocation lists')
  }
  if (!Buffer.from(certificate.spki).equals(spkiOf(key))) {
    throw new UnusableSigningAuthorityError(file, 'it belongs to another key; restore the ca.key beside it')
  }
  const keyId = certificate.extensions.get(extensionId.subjectKeyIdentifier)
  if (keyId === undefined) throw new UnusableSigningAuthorityError(file, 'it has no subjectKeyIdentifier')
  return {
    notBefore: certificate.notBefore,
    expiresAt: certificate.notAfter,
    name: encodingOf(certificate.subject),
    keyId: readContent(
      readDer(keyId.value, 'subjectKeyIdentifier'),
      derTag.octetString,
      'subjectKeyIdentifier',
    ),
  }
}

function signingAuthority(options: {
  readonly file: string
  readonly trustDomain: string
  readonly key: KeyObject
  readonly der: Uint8Array
  readonly random: RandomBytes
}): SigningAuthority {
  const { file, trustDomain, key, der, random } = options
  const { notBefore, expiresAt, name, keyId } = readAuthority(file, der, key, trustDomain)
  const issuerExtension = authorityKeyIdentifier(keyId)

  return {
    trustDomain,
    certificate: { der, pem: toPem('CERTIFICATE', der), notBefore, expiresAt },
    name,
    keyId,
    sign: (bytes) => sign('sha256', bytes, key),
    issueSvid: (request) => {
      const { spiffeId, spki, now, lifetime } = request
      const uri = formatSpiffeId(spiffeId)
      if (spiffeId.trustDomain !== trustDomain) {
        throw new SvidRequestError('spiffeId', uri, `is not of trust domain ${trustDomain}`)
      }
      if (!isP256Spki(spki)) {
        throw new SvidRequestError('spki', `of ${spki.length} octets`, 'is no P-256 key')
      }
      const subject = svidSubject(request)
      // Nothing is issued that readers would refuse.
      readSvidClaims([uri], subject)
      const svidExpiresAt = Math.min(wholeSecond(now + lifetime), expiresAt)
      if (expiresAt <= now) throw new SigningAuthorityExpiredError(expiresAt)
      if (!(svidExpiresAt > now))
        throw new SvidRequestError('lifetime', lifetime, 'ms ends within this second')
      const serial = randomSerial(random)
      const svid = signedCertificate(
        key,
        unsignedInteger(serial),
        ecdsaWithSha256,
        name,
        sequence(time(now - skew), time(svidExpiresAt)),
        sequence(...subject.map(({ type, value }) => encodeAttribute(type, value))),
        spki,
        explicit(
          3,
          sequence(
            ...leafExtensions,
            extension(
              extensionId.subjectAltName,
              false,
              sequence(implicit(6, new TextEncoder().encode(uri)), ...(request.hosts ?? []).map(hostName)),
            ),
            subjectKeyIdentifier(keyIdentifier(spki)),
            issuerExtension,
          ),
        ),
      )
      return {
        der: svid,
        pem: toPem('CERTIFICATE', svid),
        expiresAt: svidExpiresAt,
        serial: Buffer.from(serial).toString('hex'),
      }
    },
  }
}

function encodeAttribute(type: string, value: string): Uint8Array {
  const encode = subjectAttribute[type]
  if (encode === undefined) throw new SvidRequestError('subject', type, 'has no encoding here')
  return encode(value)
}

type AuthorityOptions = {
  readonly trustDomain: string
  /** ms; of a new authority */
  readonly lifetime?: number
  /** ms */
  readonly now: number
  /** For serial numbers; keys always come from the cryptographic library. */
  readonly random?: RandomBytes
}

function checkTrustDomain(trustDomain: string): void {
  if (!isTrustDomain(trustDomain)) {
    throw new InvalidSpiffeIdError(`spiffe://${trustDomain}`, 'the trust domain is not [a-z0-9._-]{1,255}')
  }
}

const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

/** A new signing authority that lives in memory only. @throws {InvalidSpiffeIdError} */
export function createSigningAuthority(options: AuthorityOptions): SigningAuthority {
  const { trustDomain, now, lifetime = defaultAuthorityLifetime, random = randomBytes } = options
  checkTrustDomain(trustDomain)
  const key = newKey()
  const der = authorityCertificate({ trustDomain, key, lifetime, now, random })
  return signingAuthority({ file: 'the new certificate', trustDomain, key, der, random })
}

/**
 * The signing authority of a folder: `ca.key` (PKCS#8 PEM, mode 0600) and `ca.crt` (PEM), made where there are none.
 * @throws {SecretFileExposedError} or UnusableSigningAuthorityError or SigningAuthorityExpiredError
 */
export function openSigningAuthority(
  options: AuthorityOptions & { readonly folder: string },
): SigningAuthority {
  const { folder, trustDomain, now, lifetime = defaultAuthorityLifetime, random = randomBytes } = options
  checkTrustDomain(trustDomain)
  const keyFile = path.join(folder, 'ca.key')
  const certificateFile = path.join(folder, 'ca.crt')

  let pem = readSecretFile(keyFile)
  let certificate = readOptional(certificateFile)
  if (pem === null && certificate !== null) {
    throw new UnusableSigningAuthorityError(
      certificateFile,
      'ca.key is missing beside it; restore it, or move ca.crt away to start a new authority',
    )
  }
  if (pem === null) {
    createSecretFile(keyFile, newKey().export({ type: 'pkcs8', format: 'pem' }) as string)
    pem = readSecretFile(keyFile) as string
  }
  const key = readKey(keyFile, pem)
  if (certificate === null) {
    // A key without certificate is a start that was cut short before anything was signed.
    const der = authorityCertificate({ trustDomain, key, lifetime, now, random })
    createSecretFile(certificateFile, toPem('CERTIFICATE', der))
    certificate = readOptional(certificateFile) as string
  }
  const authority = signingAuthority({
    file: certificateFile,
    trustDomain,
    key,
    der: readCertificatePem(certificateFile, certificate),
    random,
  })
  if (authority.certificate.expiresAt <= now) {
    throw new SigningAuthorityExpiredError(authority.certificate.expiresAt)
  }
  return authority
}

function readOptional(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function readKey(file: string, pem: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    // The cause is left out: nothing of a key file may reach a log.
    throw new UnusableSigningAuthorityError(file, 'it holds no private key in PEM; restore it from a backup')
  }
  if (key.asymmetricKeyType !== 'ec' || !isP256Spki(spkiOf(key))) {
    throw new UnusableSigningAuthorityError(file, 'its key is not P-256')
  }
  return key
}

function readCertificatePem(file: string, pem: string): Uint8Array {
  try {
    return Uint8Array.from(new X509Certificate(pem).raw)
  } catch (cause) {
    throw new UnusableSigningAuthorityError(
      file,
      'it holds no certificate in PEM; restore it from a backup',
      cause,
    )
  }
}
