import { type Deployment, deploymentId } from '../../protocol/deployment.ts'
import { scopeName, subjectLabel } from '../../protocol/scope.ts'
import { reasonText } from './arguments.ts'
import { timeText } from './duration.ts'
import { OptionError } from './options.ts'
import type { SignedOrder } from './orderFile.ts'
import { printable } from './printable.ts'

/** What an order says, for its reader. */
export function describeOrder({ order, spiffeId, deployment }: SignedOrder): readonly string[] {
  return [
    `Order      kill ${spiffeId ?? `${scopeName(order.scope)} ${subjectLabel(order)}`.trim()}`,
    `           by ${order.authority} in ${deploymentId(deployment)}`,
    `           issued ${timeText(Number(order.issuedAt))}, valid until ${timeText(Number(order.deadline))}`,
    `Reason     ${printable(reasonText(order.reason, order.text))}`,
  ]
}

/** @throws {OptionError} when the order is for another chain or contract */
export function requireDeployment(signed: SignedOrder, deployment: Deployment, file: string): void {
  const [theirs, ours] = [deploymentId(signed.deployment), deploymentId(deployment)]
  if (theirs !== ours) throw new OptionError(file, `is an order for ${theirs}, not for ${ours}`)
}
