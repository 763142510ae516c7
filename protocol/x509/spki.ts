/** DER SubjectPublicKeyInfo of a P-256 key up to its 64 octets of x and y (RFC 5480, section 2; uncompressed point). */
const p256Prefix = Uint8Array.from([
  0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
  0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
])

/** Octets of the subjectPublicKey of a P-256 key: 0x04, x and y, the last of its SubjectPublicKeyInfo. */
export const p256PointLength = 65

/** Whether this is the DER SubjectPublicKeyInfo of a P-256 key, spelt in the one way that is accepted. */
export const isP256Spki = (spki: Uint8Array): boolean =>
  spki.length === p256Prefix.length + 64 && p256Prefix.every((octet, at) => spki[at] === octet)
