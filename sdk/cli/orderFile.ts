import type { Hex } from 'viem'
import {
  type Deployment,
  deploymentId,
  InvalidDeploymentError,
  parseDeploymentId,
} from '../../protocol/deployment.ts'
import { type KillOrder, killOrderDigest } from '../../protocol/order.ts'
import { type Scope, scopes } from '../../protocol/scope.ts'
import { OptionError } from './options.ts'
import { readSecretFile } from './secretFile.ts'

/** The EIP-712 message of an order as JSON: integers over 16 bits as decimal strings (docs/protocol.md, HTTP). */
export const orderMessage = (order: KillOrder) => ({
  authority: order.authority,
  scope: order.scope,
  subject: order.subject,
  reason: order.reason,
  text: order.text,
  issuedAt: order.issuedAt.toString(),
  deadline: order.deadline.toString(),
  nonce: order.nonce.toString(),
})

/** A signed order kept for later. Whoever has it can send it until its deadline. */
export type SignedOrder = {
  readonly deployment: Deployment
  /** Set for scope Agent: relayers ask for it. */
  readonly spiffeId: string | null
  readonly order: KillOrder
  readonly signature: Hex
}

export const orderFileText = ({ deployment, spiffeId, order, signature }: SignedOrder): string =>
  `${JSON.stringify(
    {
      deployment: deploymentId(deployment),
      digest: killOrderDigest(deployment, order),
      ...(spiffeId === null ? {} : { spiffeId }),
      order: orderMessage(order),
      signature,
    },
    null,
    2,
  )}\n`

/** @throws {OptionError} naming file and field */
export function readOrderFile(file: string): SignedOrder {
  const fail = (field: string, why: string, cause?: unknown): never => {
    throw new OptionError(`${field} in ${file}`, why, cause)
  }
  let content: Record<string, unknown>
  try {
    content = JSON.parse(readSecretFile(file, 'the argument', false)) as Record<string, unknown>
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new OptionError(file, 'is no JSON', error)
  }
  const fields = content?.order as Record<string, unknown> | undefined
  if (typeof fields !== 'object' || fields === null) throw new OptionError(file, 'is no order file')
  const text = (from: Record<string, unknown>, field: string, pattern: RegExp): string => {
    const value = from[field]
    const written = typeof value === 'number' ? String(value) : value
    return typeof written === 'string' && pattern.test(written)
      ? written
      : fail(field, `does not match ${pattern.source}`)
  }
  const scope = Number(text(fields, 'scope', /^[0-3]$/)) as Scope
  const order: KillOrder = {
    authority: text(fields, 'authority', /^0x[0-9a-fA-F]{40}$/).toLowerCase() as Hex,
    scope: scopes.includes(scope) ? scope : fail('scope', 'is unknown'),
    subject: text(fields, 'subject', /^0x[0-9a-f]{64}$/) as Hex,
    reason: Number(text(fields, 'reason', /^[0-9]{1,5}$/)),
    text: text(fields, 'text', /^.*$/su),
    issuedAt: BigInt(text(fields, 'issuedAt', /^[0-9]{1,16}$/)),
    deadline: BigInt(text(fields, 'deadline', /^[0-9]{1,16}$/)),
    nonce: BigInt(text(fields, 'nonce', /^[0-9]{1,78}$/)),
  }
  let deployment: Deployment
  try {
    deployment = parseDeploymentId(text(content, 'deployment', /./))
  } catch (error) {
    if (!(error instanceof InvalidDeploymentError)) throw error
    throw new OptionError(`deployment in ${file}`, error.message, error)
  }
  // The digest says what was meant to be signed: a file changed by hand or on the way does not pass.
  if (content.digest !== undefined && content.digest !== killOrderDigest(deployment, order))
    fail('digest', 'does not fit the order: the file was changed')
  return {
    deployment,
    spiffeId: content.spiffeId === undefined ? null : text(content, 'spiffeId', /^spiffe:/),
    order,
    signature: text(content, 'signature', /^0x([0-9a-fA-F]{2})+$/) as Hex,
  }
}
