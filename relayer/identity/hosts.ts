import { isIP } from 'node:net'
import { implicit } from './der.ts'

export class InvalidHostError extends Error {
  override readonly name = 'InvalidHostError'
  readonly host: string
  constructor(host: string) {
    super(`"${host}" is no host for a certificate; give a DNS name or an IP address without port or zone`)
    this.host = host
  }
}

const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const dnsPattern = new RegExp(`^${label}(\\.${label})*$`, 'i')

/** The GeneralName of a host (RFC 5280, section 4.2.1.6): iPAddress [7] or dNSName [2]. @throws {InvalidHostError} */
export function hostName(host: string): Uint8Array {
  const family = isIP(host)
  if (family === 4) return implicit(7, Uint8Array.from(host.split('.'), Number))
  if (family === 6) return implicit(7, ipv6Octets(host))
  if (host.length > 253 || !dnsPattern.test(host)) throw new InvalidHostError(host)
  return implicit(2, new TextEncoder().encode(host.toLowerCase()))
}

function ipv6Octets(host: string): Uint8Array {
  if (host.includes('%')) throw new InvalidHostError(host)
  // URL rewrites every spelling to groups of hexadecimal with at most one `::` (RFC 5952).
  const text = new URL(`http://[${host}]`).hostname.slice(1, -1)
  const [head = [], tail = []] = text
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''))
  const groups = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail]
  return Uint8Array.from(
    groups.flatMap((group) => {
      const value = Number.parseInt(group, 16)
      return [value >> 8, value & 0xff]
    }),
  )
}
