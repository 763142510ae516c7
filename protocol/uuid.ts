const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export class InvalidUuidError extends Error {
  override readonly name = 'InvalidUuidError'
  readonly value: string
  constructor(value: string) {
    super(`"${value}" is no UUID in lower case (RFC 9562, section 4)`)
    this.value = value
  }
}

export const isUuid = (value: string): boolean => uuidPattern.test(value)

/** RFC 9562, section 4: the 128-bit number of a UUID. @throws {InvalidUuidError} */
export function agentIdFromUuid(uuid: string): bigint {
  if (!isUuid(uuid)) throw new InvalidUuidError(uuid)
  return BigInt(`0x${uuid.replaceAll('-', '')}`)
}

/** RFC 9562, section 4: version in the high nibble of octet 6, variant in the two high bits of octet 8. */
const versionAndVariantMask = (0xfn << 76n) | (0x3n << 62n)
const version8AndVariant = (0x8n << 76n) | (0x2n << 62n)

/** The number of the version 8 UUID made of the high 128 bits of a 256-bit hash (RFC 9562, section 5.8). */
export const uuidV8OfHash = (hash: bigint): bigint =>
  ((hash >> 128n) & ~versionAndVariantMask) | version8AndVariant

/** The UUID text of an agent id. @throws {InvalidUuidError} for numbers of more than 128 bits */
export function uuidFromAgentId(agentId: bigint): string {
  const digits = agentId.toString(16).padStart(32, '0')
  if (agentId < 0n || digits.length > 32) throw new InvalidUuidError(agentId.toString())
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
