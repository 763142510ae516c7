import { createHmac, hash, timingSafeEqual } from 'node:crypto'

/**
 * What an operator says of a workload: `enrol` allows it one SVID, once; `withdraw` ends its enrolment. Times in ms.
 * It needs no store, so it can be made while a running relayer holds the store.
 */
export type OperatorStatement = {
  readonly action: 'enrol' | 'withdraw'
  readonly id: string
  readonly spiffeId: string
  readonly issuedAt: number
  readonly expiresAt: number
}

const mac = (secret: Buffer, payload: string): Buffer =>
  createHmac('sha256', secret).update(`killswitch-operator-v1\n${payload}`).digest()

/** A bearer token: the statement and its HMAC with the operator's secret. */
export function signStatement(secret: Buffer, statement: OperatorStatement): string {
  const payload = Buffer.from(JSON.stringify(statement)).toString('base64url')
  return `${payload}.${mac(secret, payload).toString('base64url')}`
}

/** @returns null for a token that the secret did not make; action, expiry and single use are the caller's */
export function openStatement(secret: Buffer, token: string): OperatorStatement | null {
  const [payload, given, ...rest] = token.split('.')
  if (payload === undefined || given === undefined || rest.length > 0) return null
  const expected = mac(secret, payload)
  const bytes = Buffer.from(given, 'base64url')
  if (bytes.length !== expected.length || !timingSafeEqual(bytes, expected)) return null
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as OperatorStatement
}

/** Under which a used token is remembered: never the token itself. */
export const tokenHash = (token: string): string => hash('sha256', token, 'hex')
