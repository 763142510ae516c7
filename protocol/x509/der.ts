/** One DER element (X.690) inside `source`: the identifier octet at `start`, contents from `from` up to `end`. */
export type DerElement = {
  readonly source: Uint8Array
  readonly tag: number
  readonly start: number
  readonly from: number
  readonly end: number
}

/** Identifier octets (X.690, section 8.1.2; X.680, table 1). */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

export class InvalidDerError extends Error {
  override readonly name = 'InvalidDerError'
  readonly what: string
  /** Octets from the start of the input. */
  readonly offset: number
  constructor(what: string, offset: number, why: string) {
    super(`${what} is malformed at octet ${offset}: ${why}`)
    this.what = what
    this.offset = offset
  }
}

/** Reads the element at `at`, which must end by `limit`. Lengths must be definite and minimal (X.690, section 10.1). */
function elementAt(source: Uint8Array, at: number, limit: number, what: string): DerElement {
  if (at + 2 > limit) throw new InvalidDerError(what, at, 'it is cut short')
  const tag = source[at] as number
  if ((tag & 0x1f) === 0x1f) throw new InvalidDerError(what, at, 'it has a tag number above 30')
  const first = source[at + 1] as number
  let from = at + 2
  let length = first
  if (first >= 0x80) {
    const count = first & 0x7f
    if (count === 0 || count > 3)
      throw new InvalidDerError(what, at, 'its length is indefinite or above 16 MiB')
    if (from + count > limit) throw new InvalidDerError(what, at, 'it is cut short')
    length = 0
    for (let i = 0; i < count; i++) length = length * 256 + (source[from + i] as number)
    if (length < 0x80 || source[from] === 0)
      throw new InvalidDerError(what, at, 'its length is not the shortest')
    from += count
  }
  const end = from + length
  if (end > limit) throw new InvalidDerError(what, at, `it has ${limit - from} of ${length} octets`)
  return { source, tag, start: at, from, end }
}

/** The one element that is the whole input. @throws {InvalidDerError} also for trailing octets */
export function readDer(source: Uint8Array, what: string): DerElement {
  const element = elementAt(source, 0, source.length, what)
  if (element.end !== source.length) throw new InvalidDerError(what, element.end, 'octets follow it')
  return element
}

/** The elements inside one of type `tag`. @throws {InvalidDerError} */
export function readChildren(element: DerElement, tag: number, what: string): readonly DerElement[] {
  expectTag(element, tag, what)
  const children: DerElement[] = []
  for (let at = element.from; at < element.end; ) {
    const child = elementAt(element.source, at, element.end, what)
    children.push(child)
    at = child.end
  }
  return children
}

/** @throws {InvalidDerError} if the element is missing or of another type */
export function expectTag(
  element: DerElement | undefined,
  tag: number,
  what: string,
): asserts element is DerElement {
  if (element === undefined) throw new InvalidDerError(what, 0, 'it is missing')
  if (element.tag !== tag) {
    throw new InvalidDerError(
      what,
      element.start,
      `its tag is 0x${element.tag.toString(16)}, not 0x${tag.toString(16)}`,
    )
  }
}

/** The contents of an element of type `tag`, without copying. @throws {InvalidDerError} */
export function readContent(element: DerElement | undefined, tag: number, what: string): Uint8Array {
  expectTag(element, tag, what)
  return element.source.subarray(element.from, element.end)
}

/** The element with its identifier and length, without copying. */
export const encodingOf = (element: DerElement): Uint8Array =>
  element.source.subarray(element.start, element.end)

/** The octets of an INTEGER in two's complement, minimal (X.690, section 8.3.2). @throws {InvalidDerError} */
export function readInteger(element: DerElement | undefined, what: string): Uint8Array {
  const octets = readContent(element, derTag.integer, what)
  const [first, second] = octets
  if (first === undefined) throw new InvalidDerError(what, element?.start ?? 0, 'it is empty')
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw new InvalidDerError(what, element?.start ?? 0, 'it is not the shortest')
  }
  return octets
}

/** A BOOLEAN: 0x00 or 0xff (X.690, section 11.1). @throws {InvalidDerError} */
export function readBoolean(element: DerElement | undefined, what: string): boolean {
  const octets = readContent(element, derTag.boolean, what)
  if (octets.length !== 1 || (octets[0] !== 0 && octets[0] !== 0xff)) {
    throw new InvalidDerError(what, element?.start ?? 0, 'it is no BOOLEAN')
  }
  return octets[0] === 0xff
}

/** An OBJECT IDENTIFIER in dotted form (X.690, section 8.19); arcs up to 2^28. @throws {InvalidDerError} */
export function readOid(element: DerElement | undefined, what: string): string {
  const octets = readContent(element, derTag.oid, what)
  const arcs: number[] = []
  let arc = 0
  let inside = false
  for (const octet of octets) {
    if ((!inside && octet === 0x80) || arc >= 2 ** 21) {
      throw new InvalidDerError(
        what,
        element?.start ?? 0,
        'an arc of its OID is not the shortest or too large',
      )
    }
    arc = arc * 128 + (octet & 0x7f)
    inside = octet >= 0x80
    if (!inside) {
      arcs.push(arc)
      arc = 0
    }
  }
  const first = arcs.shift()
  if (first === undefined || inside)
    throw new InvalidDerError(what, element?.start ?? 0, 'its OID is cut short')
  const root = Math.min(2, Math.floor(first / 40))
  return [root, first - 40 * root, ...arcs].join('.')
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of a UTF8String, PrintableString or IA5String. @throws {InvalidDerError} for other string types */
export function readText(element: DerElement | undefined, what: string): string {
  if (element === undefined) throw new InvalidDerError(what, 0, 'it is missing')
  const { tag, start } = element
  const octets = readContent(element, tag, what)
  if (tag !== derTag.utf8String && tag !== derTag.printableString && tag !== derTag.ia5String) {
    throw new InvalidDerError(what, start, 'it is no UTF8String, PrintableString or IA5String')
  }
  if (tag !== derTag.utf8String && octets.some((octet) => octet >= 0x80)) {
    throw new InvalidDerError(what, start, 'it is not ASCII')
  }
  try {
    return utf8.decode(octets)
  } catch {
    throw new InvalidDerError(what, start, 'it is not UTF-8')
  }
}

/** A Time of a certificate (RFC 5280, section 4.1.2.5), in ms. @throws {InvalidDerError} */
export function readTime(element: DerElement | undefined, what: string): number {
  if (element === undefined) throw new InvalidDerError(what, 0, 'it is missing')
  const { tag, start } = element
  const text = String.fromCharCode(...readContent(element, tag, what))
  const pattern =
    tag === derTag.utcTime ? /^\d{12}Z$/ : tag === derTag.generalizedTime ? /^\d{14}Z$/ : undefined
  if (pattern === undefined || !pattern.test(text))
    throw new InvalidDerError(what, start, 'it is no time of RFC 5280')
  // A two-digit year below 50 is of this century (RFC 5280, section 4.1.2.5.1).
  const full = tag === derTag.generalizedTime ? text : `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}`
  const part = (at: number, length = 2): number => Number(full.slice(at, at + length))
  const time = Date.UTC(part(0, 4), part(4) - 1, part(6), part(8), part(10), part(12))
  // Date.UTC carries a 13th month or a 31st of June over: what it made must be spelt as what was read.
  if (new Date(time).toISOString().replace(/[-:T]|\.000/g, '') !== full) {
    throw new InvalidDerError(what, start, `there is no such time: ${text}`)
  }
  return time
}
