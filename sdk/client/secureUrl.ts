/** Trust would be taken from a connection that anybody on the way can change. */
export class InsecureUrlError extends Error {
  override readonly name = 'InsecureUrlError'
  readonly url: string
  constructor(url: string, instead: string) {
    super(`${url} is not protected against changes on the way; use https:, or ${instead}`)
    this.url = url
  }
}

/** Whether what comes from this URL can only come from its host: https, or the machine itself. */
export function isProtectedUrl(text: string): boolean {
  const { protocol, hostname } = new URL(text)
  return (
    protocol === 'https:' ||
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    /^127\.[0-9.]+$/.test(hostname)
  )
}

/** Puts a path behind a base URL, whether or not the base ends with a slash. */
export const urlUnder = (base: string, path: string): string => `${base.replace(/\/+$/, '')}${path}`
