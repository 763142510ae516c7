import { isUuid } from './uuid.ts'

/** Types of workloads that an operator enrols; the registry refuses them for agents. */
export const reservedTypes = ['service', 'relayer', 'admin', 'governance', 'spire'] as const

export type SpiffeId = { readonly trustDomain: string; readonly type: string; readonly name: string }

export class InvalidSpiffeIdError extends Error {
  override readonly name = 'InvalidSpiffeIdError'
  readonly value: string
  constructor(value: string, why: string) {
    super(`"${value.slice(0, 200)}" is no SPIFFE ID of Killswitch: ${why}`)
    this.value = value
  }
}

const trustDomainPattern = /^[a-z0-9._-]{1,255}$/
const agentTypePattern = /^[a-z0-9-]{1,32}$/
const labelPattern = /^[a-z0-9-]{1,63}$/

export const isTrustDomain = (value: string): boolean => trustDomainPattern.test(value)
export const isAgentType = (value: string): boolean => agentTypePattern.test(value) && !isReservedType(value)
export const isReservedType = (value: string): boolean => (reservedTypes as readonly string[]).includes(value)

/**
 * Builds a SPIFFE ID (SPIFFE-ID, section 2) from its parts; the only place that does.
 * @throws {InvalidSpiffeIdError} naming the part
 */
export function formatSpiffeId({ trustDomain, type, name }: SpiffeId): string {
  const text = `spiffe://${trustDomain}/${type}/${name}`
  if (!isTrustDomain(trustDomain))
    throw new InvalidSpiffeIdError(text, 'the trust domain is not [a-z0-9._-]{1,255}')
  if (!agentTypePattern.test(type)) throw new InvalidSpiffeIdError(text, 'the type is not [a-z0-9-]{1,32}')
  if (isReservedType(type) ? !labelPattern.test(name) : !isUuid(name)) {
    throw new InvalidSpiffeIdError(
      text,
      isReservedType(type) ? 'the name is not [a-z0-9-]{1,63}' : 'the name is no UUID',
    )
  }
  return text
}

/** SPIFFE ID of a registered agent; null until it is complete. */
export const agentSpiffeId = (
  trustDomain: string,
  { uuid, agentType }: { readonly uuid: string; readonly agentType: string | null },
): string | null => (agentType === null ? null : formatSpiffeId({ trustDomain, type: agentType, name: uuid }))

/**
 * Reads a SPIFFE ID. Mixed case is refused, not folded: libraries disagree on it, and a kill must not miss.
 * @throws {InvalidSpiffeIdError}
 */
export function parseSpiffeId(text: string): SpiffeId {
  if (text.length > 2048) throw new InvalidSpiffeIdError(text, 'it is longer than 2,048 bytes')
  const match = /^spiffe:\/\/([^/]*)\/([^/]*)\/([^/]*)$/.exec(text)
  if (match === null) throw new InvalidSpiffeIdError(text, 'it is not spiffe://<trust domain>/<type>/<name>')
  const id = { trustDomain: match[1] as string, type: match[2] as string, name: match[3] as string }
  formatSpiffeId(id)
  return id
}
