import type { Hex } from './hex.ts'
import { agentIdFromUuid, uuidFromAgentId } from './uuid.ts'

/** What a kill covers; the numbers are those of the contract's enum. */
export const Scope = { Agent: 0, Owner: 1, AgentType: 2, Fleet: 3 } as const
export type Scope = (typeof Scope)[keyof typeof Scope]

export const scopes: readonly Scope[] = [Scope.Agent, Scope.Owner, Scope.AgentType, Scope.Fleet]

export const scopeName = (scope: Scope): string => ['Agent', 'Owner', 'AgentType', 'Fleet'][scope] as string

/** What a scope is about, as 32 bytes of lower-case hex; see docs/protocol.md, Words. */
export type Subject = Hex

/** A scope with its subject. */
export type Target = { readonly scope: Scope; readonly subject: Subject }

/** One string per target, for maps. */
export const targetKey = (target: Target): string => `${target.scope}:${target.subject}`

export const fleetSubject: Subject = `0x${'0'.repeat(64)}`

/** @throws {InvalidUuidError} */
export const agentTarget = (uuid: string): Target => ({
  scope: Scope.Agent,
  subject: `0x${agentIdFromUuid(uuid).toString(16).padStart(64, '0')}`,
})

/** @param wallet in any case @throws {InvalidSubjectError} */
export function ownerTarget(wallet: Hex): Target {
  if (!/^0x[0-9a-fA-F]{40}$/.test(wallet)) throw new InvalidSubjectError(Scope.Owner, wallet)
  const subject: Subject = `0x${wallet.slice(2).toLowerCase().padStart(64, '0')}`
  if (subject === fleetSubject) throw new InvalidSubjectError(Scope.Owner, wallet)
  return { scope: Scope.Owner, subject }
}

/** @throws {InvalidSubjectError} */
export function agentTypeTarget(agentType: string): Target {
  if (!/^[a-z0-9-]{1,32}$/.test(agentType)) throw new InvalidSubjectError(Scope.AgentType, agentType)
  const digits = Array.from(agentType, (c) => c.charCodeAt(0).toString(16))
  return { scope: Scope.AgentType, subject: `0x${digits.join('').padEnd(64, '0')}` }
}

export const fleetTarget: Target = { scope: Scope.Fleet, subject: fleetSubject }

export class InvalidSubjectError extends Error {
  override readonly name = 'InvalidSubjectError'
  readonly scope: Scope
  readonly subject: string
  constructor(scope: Scope, subject: string) {
    super(`${subject} is no subject of scope ${scopeName(scope)}; see docs/protocol.md, Words`)
    this.scope = scope
    this.subject = subject
  }
}

/** The UUID, wallet or type that a subject stands for; an empty string for the fleet. @throws {InvalidSubjectError} */
export function subjectLabel({ scope, subject }: Target): string {
  if (!/^0x[0-9a-f]{64}$/.test(subject)) throw new InvalidSubjectError(scope, subject)
  const digits = subject.slice(2)
  switch (scope) {
    case Scope.Agent:
      if (!/^0{32}/.test(digits)) break
      return uuidFromAgentId(BigInt(subject))
    case Scope.Owner:
      if (!/^0{24}/.test(digits) || subject === fleetSubject) break
      return `0x${digits.slice(24)}`
    case Scope.AgentType: {
      const bytes = digits.replace(/(00)+$/, '').match(/../g) ?? []
      const label = bytes.map((byte) => String.fromCharCode(Number.parseInt(byte, 16))).join('')
      if (!/^[a-z0-9-]{1,32}$/.test(label)) break
      return label
    }
    case Scope.Fleet:
      if (subject === fleetSubject) return ''
  }
  throw new InvalidSubjectError(scope, subject)
}
