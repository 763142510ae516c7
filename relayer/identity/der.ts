import { derTag } from '../../protocol/x509/der.ts'

const text = new TextEncoder()

/** One DER element (X.690, section 8.1) of an identifier octet and its contents, concatenated. */
export const der = (tag: number, ...contents: readonly Uint8Array[]): Uint8Array => concatenate(tag, contents)

function concatenate(tag: number, contents: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of contents) length += part.length
  const lengthOctets =
    length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4
  const encoded = new Uint8Array(2 + lengthOctets + length)
  encoded[0] = tag
  encoded[1] = lengthOctets === 0 ? length : 0x80 | lengthOctets
  for (let i = 0; i < lengthOctets; i++) encoded[2 + i] = length >>> (8 * (lengthOctets - 1 - i))
  let at = 2 + lengthOctets
  for (const part of contents) {
    encoded.set(part, at)
    at += part.length
  }
  return encoded
}

export const sequence = (...contents: readonly Uint8Array[]): Uint8Array => der(derTag.sequence, ...contents)
/** A SEQUENCE of many elements: more than a call can have arguments. */
export const sequenceOf = (contents: readonly Uint8Array[]): Uint8Array =>
  concatenate(derTag.sequence, contents)
export const set = (...contents: readonly Uint8Array[]): Uint8Array => der(derTag.set, ...contents)
export const octetString = (...contents: readonly Uint8Array[]): Uint8Array =>
  der(derTag.octetString, ...contents)
export const utf8String = (value: string): Uint8Array => der(derTag.utf8String, text.encode(value))
/** @param value of the characters of a PrintableString (X.680, section 41.4); the callers' are digits and words */
export const printableString = (value: string): Uint8Array => der(derTag.printableString, text.encode(value))
export const derTrue: Uint8Array = der(derTag.boolean, Uint8Array.of(0xff))

/** [n] with other elements inside (X.690, section 8.14). */
export const explicit = (n: number, ...contents: readonly Uint8Array[]): Uint8Array =>
  der(0xa0 | n, ...contents)
/** [n] instead of the universal tag of a primitive type. */
export const implicit = (n: number, content: Uint8Array): Uint8Array => der(0x80 | n, content)

/** The INTEGER of a magnitude, big-endian, in the fewest octets (X.690, section 8.3). */
export function unsignedInteger(magnitude: Uint8Array): Uint8Array {
  let from = 0
  while (from < magnitude.length - 1 && magnitude[from] === 0) from++
  const octets = magnitude.subarray(from)
  return octets.length === 0 || (octets[0] as number) >= 0x80
    ? der(derTag.integer, Uint8Array.of(0), octets)
    : der(derTag.integer, octets)
}

/** @param value an integer from 0 to 2^53 - 1 */
export function integer(value: number): Uint8Array {
  const octets = new Uint8Array(8)
  new DataView(octets.buffer).setBigUint64(0, BigInt(value))
  return unsignedInteger(octets)
}

/** BIT STRING (X.690, section 8.6). @param unused bits at the end of the last octet that do not count */
export const bitString = (content: Uint8Array, unused = 0): Uint8Array =>
  der(derTag.bitString, Uint8Array.of(unused), content)

/** OBJECT IDENTIFIER (X.690, section 8.19) of its dotted form. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [root = 0, second = 0, ...arcs] = dotted.split('.').map(Number)
  const octets: number[] = []
  for (const arc of [root * 40 + second, ...arcs]) {
    const groups = [arc & 0x7f]
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
      groups.unshift(0x80 | (rest % 128))
    }
    octets.push(...groups)
  }
  return der(derTag.oid, Uint8Array.from(octets))
}

/** A Time (RFC 5280, section 4.1.2.5): UTCTime through 2049, GeneralizedTime after. @param ms cut to whole seconds */
export function time(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)
  return digits < '20500101000000'
    ? der(derTag.utcTime, text.encode(`${digits.slice(2)}Z`))
    : der(derTag.generalizedTime, text.encode(`${digits}Z`))
}

/** RFC 7468, section 2: base64 in lines of 64 between the two marks. */
export function toPem(label: string, encoded: Uint8Array): string {
  const base64 = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length).toString('base64')
  const lines = base64.match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
