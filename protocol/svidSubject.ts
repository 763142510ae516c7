import { type Deployment, deploymentId } from './deployment.ts'
import type { Hex } from './hex.ts'
import type { SvidClaims } from './revocation.ts'
import { isReservedType, parseSpiffeId } from './spiffeId.ts'

/** Attributes of an SVID's Subject, as parsed: type (short name or OID) and value, in order. */
export type SubjectAttribute = { readonly type: string; readonly value: string }

export class InvalidSvidError extends Error {
  override readonly name = 'InvalidSvidError'
  readonly field: string
  constructor(field: string, detail: string) {
    super(`SVID refused: ${field} ${detail}`)
    this.field = field
  }
}

/** What goes into the Subject of an SVID (docs/protocol.md, Identities), in order. */
export const svidSubject = (claims: {
  readonly owner: Hex | null
  readonly deployment: Deployment
  readonly generation: number
}): readonly SubjectAttribute[] => [
  { type: 'OU', value: deploymentId(claims.deployment) },
  ...(claims.owner === null ? [] : [{ type: 'UID', value: claims.owner.toLowerCase() }]),
  { type: 'serialNumber', value: String(claims.generation) },
]

/**
 * Reads what an SVID claims from its one URI SAN and its Subject. Missing, repeated or malformed values are refused:
 * an SVID that cannot be judged must not pass.
 * @throws {InvalidSvidError} or InvalidSpiffeIdError
 */
export function readSvidClaims(uris: readonly string[], subject: readonly SubjectAttribute[]): SvidClaims {
  if (uris.length !== 1) throw new InvalidSvidError('subjectAltName', `has ${uris.length} URIs, not one`)
  const spiffeId = parseSpiffeId(uris[0] as string)
  const only = (type: string): string | null => {
    const values = subject.filter((attribute) => attribute.type === type)
    if (values.length > 1) throw new InvalidSvidError(type, 'is there more than once')
    return values[0]?.value ?? null
  }
  const deployment = only('OU')
  if (deployment === null) throw new InvalidSvidError('OU', 'is missing')
  const generation = only('serialNumber')
  if (generation === null || !/^(0|[1-9][0-9]{0,14})$/.test(generation)) {
    throw new InvalidSvidError('serialNumber', `is no generation: ${generation}`)
  }
  const owner = only('UID')
  if (owner !== null && !/^0x(?!0{40})[0-9a-f]{40}$/.test(owner))
    throw new InvalidSvidError('UID', `is no wallet in lower case: ${owner}`)
  if ((owner === null) !== isReservedType(spiffeId.type)) {
    throw new InvalidSvidError(
      'UID',
      owner === null ? 'is missing' : `does not belong to type ${spiffeId.type}`,
    )
  }
  return { spiffeId, owner: owner as Hex | null, deployment, generation: Number(generation) }
}
