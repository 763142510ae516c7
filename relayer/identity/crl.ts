import {
  bitString,
  der,
  explicit,
  integer,
  sequence,
  sequenceOf,
  time,
  toPem,
  unsignedInteger,
} from './der.ts'
import type { SigningAuthority } from './signingAuthority.ts'
import { authorityKeyIdentifier, ecdsaWithSha256, extension } from './x509Fields.ts'

export type RevokedSvid = {
  /** Lower-case hexadecimal, as `IssuedSvid` has it. */
  readonly serial: string
  /** ms */
  readonly revokedAt: number
}

export type Crl = { readonly der: Uint8Array; readonly pem: string; readonly number: number }

export class InvalidSerialError extends Error {
  override readonly name = 'InvalidSerialError'
  readonly serial: string
  constructor(serial: string) {
    super(`"${serial}" is no serial number: 1 to 20 octets of lower-case hexadecimal`)
    this.serial = serial
  }
}

/** reasonCode privilegeWithdrawn (RFC 5280, section 5.3.1): the agent was killed, its key need not be known to others. */
const reasonExtensions = sequence(extension('2.5.29.21', false, der(0x0a, Uint8Array.of(9))))

/**
 * A certificate revocation list of version 2 (RFC 5280, section 5), complete, signed by the authority.
 * Expired SVIDs are the caller's to leave out.
 * @param number greater than that of every earlier list of this authority (section 5.2.3)
 * @param now ms
 * @param nextUpdate ms; after it verifiers refuse everybody, so it must be later than the next list can come
 * @throws {InvalidSerialError}
 */
export function createCrl(
  authority: SigningAuthority,
  options: {
    readonly revoked: Iterable<RevokedSvid>
    readonly number: number
    readonly now: number
    readonly nextUpdate: number
  },
): Crl {
  const { number, now, nextUpdate } = options
  const entries: Uint8Array[] = []
  for (const { serial, revokedAt } of options.revoked) {
    if (!/^([0-9a-f]{2}){1,20}$/.test(serial)) throw new InvalidSerialError(serial)
    entries.push(sequence(unsignedInteger(Buffer.from(serial, 'hex')), time(revokedAt), reasonExtensions))
  }
  const tbs = sequence(
    integer(1),
    ecdsaWithSha256,
    authority.name,
    time(now),
    time(nextUpdate),
    // Absent, not empty, when nothing is revoked (section 5.1.2.6).
    ...(entries.length === 0 ? [] : [sequenceOf(entries)]),
    explicit(
      0,
      sequence(authorityKeyIdentifier(authority.keyId), extension('2.5.29.20', false, integer(number))),
    ),
  )
  const signed = sequence(tbs, ecdsaWithSha256, bitString(authority.sign(tbs)))
  return { der: signed, pem: toPem('X509 CRL', signed), number }
}
