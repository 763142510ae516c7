/** RFC 4648, section 5, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

export class InvalidBase64UrlError extends Error {
  override readonly name = 'InvalidBase64UrlError'
  readonly value: string
  constructor(value: string) {
    super(`"${value.slice(0, 100)}" is no base64url without padding (RFC 4648, section 5)`)
    this.value = value
  }
}

/** @throws {InvalidBase64UrlError} also for a spelling that is not canonical */
export function fromBase64Url(text: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw new InvalidBase64UrlError(text)
  const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
  if (toBase64Url(bytes) !== text) throw new InvalidBase64UrlError(text)
  return bytes
}
