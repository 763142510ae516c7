import {
  type DerElement,
  derTag,
  encodingOf,
  InvalidDerError,
  readBoolean,
  readChildren,
  readContent,
  readDer,
  readInteger,
  readOid,
  readTime,
} from './der.ts'

export type CertificateExtension = { readonly critical: boolean; readonly value: Uint8Array }

/** The fields of a certificate (RFC 5280, section 4.1), read but not judged. */
export type Certificate = {
  /** Lower-case hexadecimal without leading zero octets. */
  readonly serial: string
  /** ms */
  readonly notBefore: number
  /** ms; valid through this second */
  readonly notAfter: number
  readonly subject: DerElement
  /** DER SubjectPublicKeyInfo */
  readonly spki: Uint8Array
  /** By dotted OID. */
  readonly extensions: ReadonlyMap<string, CertificateExtension>
}

/** Extensions (RFC 5280, sections 4.2.1.2, .3, .6 and .9) by dotted OID. */
export const extensionId = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
} as const

/** keyUsage bits (RFC 5280, section 4.2.1.3), all of the first octet. */
export const keyUsageBit = { digitalSignature: 0x80, keyCertSign: 0x04, crlSign: 0x02 } as const

/** [0] { INTEGER 2 }: version 3 (RFC 5280, section 4.1.2.1). */
const version3 = Uint8Array.of(0xa0, 0x03, 0x02, 0x01, 0x02)
/** GeneralName uniformResourceIdentifier, [6] IA5String (RFC 5280, section 4.2.1.6). */
const uriTag = 0x86

const equal = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((octet, at) => octet === b[at])

/**
 * Takes a DER certificate of version 3 apart (RFC 5280, section 4.1). It verifies no signature.
 * @throws {InvalidDerError} naming the field
 */
export function readCertificate(der: Uint8Array): Certificate {
  const [tbs, outerAlgorithm, signature, ...more] = readChildren(
    readDer(der, 'certificate'),
    derTag.sequence,
    'certificate',
  )
  if (tbs === undefined || outerAlgorithm === undefined || signature === undefined || more.length > 0) {
    throw new InvalidDerError('certificate', 0, 'it does not have three fields')
  }
  const fields = readChildren(tbs, derTag.sequence, 'tbsCertificate')
  const [version, serial, algorithm, issuer, validity, subject, spki, extensions] = fields
  // With extensions and without the unique identifiers of version 2: eight fields, no more, no less.
  if (
    fields.length !== 8 ||
    version === undefined ||
    algorithm === undefined ||
    issuer === undefined ||
    validity === undefined ||
    subject === undefined ||
    spki === undefined ||
    extensions === undefined
  ) {
    throw new InvalidDerError('tbsCertificate', tbs.start, `it has ${fields.length} fields, not eight`)
  }
  if (!equal(encodingOf(version), version3)) {
    throw new InvalidDerError('version', version.start, 'it is not 3')
  }
  if (!equal(encodingOf(algorithm), encodingOf(outerAlgorithm))) {
    throw new InvalidDerError('signature algorithm', algorithm.start, 'it differs outside the signed part')
  }
  return {
    serial: readSerial(serial),
    ...readValidity(validity),
    subject,
    spki: encodingOf(spki),
    extensions: readExtensions(extensions),
  }
}

/** RFC 5280, section 4.1.2.2: positive, at most 20 octets. */
function readSerial(element: DerElement | undefined): string {
  const octets = readInteger(element, 'serial number')
  const positive = (octets[0] as number) < 0x80 && !(octets.length === 1 && octets[0] === 0)
  if (!positive || octets.length > 20) {
    throw new InvalidDerError('serial number', element?.start ?? 0, 'it is not positive or above 20 octets')
  }
  let text = ''
  for (const octet of octets[0] === 0 ? octets.subarray(1) : octets) {
    text += (octet < 16 ? '0' : '') + octet.toString(16)
  }
  return text
}

function readValidity(element: DerElement): { readonly notBefore: number; readonly notAfter: number } {
  const [from, to, ...more] = readChildren(element, derTag.sequence, 'validity')
  const notBefore = readTime(from, 'notBefore')
  const notAfter = readTime(to, 'notAfter')
  if (more.length > 0 || notAfter < notBefore) {
    throw new InvalidDerError(
      'validity',
      element.start,
      'it ends before it begins or has more than two times',
    )
  }
  return { notBefore, notAfter }
}

/** RFC 5280, section 4.1.2.9; no extension twice (section 4.2). */
function readExtensions(element: DerElement): ReadonlyMap<string, CertificateExtension> {
  const [list, ...beside] = readChildren(element, 0xa3, 'extensions')
  if (list === undefined || beside.length > 0) {
    throw new InvalidDerError('extensions', element.start, 'they are not one sequence')
  }
  const extensions = new Map<string, CertificateExtension>()
  for (const item of readChildren(list, derTag.sequence, 'extensions')) {
    const parts = readChildren(item, derTag.sequence, 'extension')
    const id = readOid(parts[0], 'extension')
    const what = `extension ${id}`
    if (parts.length < 2 || parts.length > 3) {
      throw new InvalidDerError(what, item.start, 'it does not have two or three parts')
    }
    const critical = parts.length === 3 && readBoolean(parts[1], what)
    if (parts.length === 3 && !critical) {
      // X.690, section 11.5: DER leaves out what is the default.
      throw new InvalidDerError(what, item.start, 'it spells out a default value')
    }
    if (extensions.has(id)) throw new InvalidDerError(what, item.start, 'it is there more than once')
    extensions.set(id, { critical, value: readContent(parts.at(-1), derTag.octetString, what) })
  }
  return extensions
}

/** The URIs of the subjectAltName, none without one (RFC 5280, section 4.2.1.6). @throws {InvalidDerError} */
export function readUris({ extensions }: Certificate): readonly string[] {
  const names = extensions.get(extensionId.subjectAltName)
  if (names === undefined) return []
  return readChildren(readDer(names.value, 'subjectAltName'), derTag.sequence, 'subjectAltName')
    .filter((name) => name.tag === uriTag)
    .map((name) => String.fromCharCode(...readContent(name, uriTag, 'subjectAltName')))
}

/** The keyUsage bits of a critical keyUsage, 0 without one (RFC 5280, section 4.2.1.3). @throws {InvalidDerError} */
export function readKeyUsage({ extensions }: Certificate): number {
  const usage = extensions.get(extensionId.keyUsage)
  if (usage === undefined || !usage.critical) return 0
  const element = readDer(usage.value, 'keyUsage')
  const [unused = 8, bits = 0] = readContent(element, derTag.bitString, 'keyUsage')
  if (unused > 7) throw new InvalidDerError('keyUsage', 0, 'it is no BIT STRING')
  return bits
}

/**
 * Whether basicConstraints make it a signing certificate (RFC 5280, section 4.2.1.9). Anything inside them counts:
 * cA is FALSE by being absent, and a leaf has no path length.
 * @throws {InvalidDerError}
 */
export function isSigningCertificate({ extensions }: Certificate): boolean {
  const constraints = extensions.get(extensionId.basicConstraints)
  if (constraints === undefined) return false
  const inside = readChildren(
    readDer(constraints.value, 'basicConstraints'),
    derTag.sequence,
    'basicConstraints',
  )
  return inside.length > 0
}
