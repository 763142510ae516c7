import { createHmac, hash, timingSafeEqual } from 'node:crypto'

/** What an operator allows: one SVID for a workload, once, until `expiresAt` (ms). */
export type Enrolment = { readonly id: string; readonly spiffeId: string; readonly expiresAt: number }

const mac = (secret: Buffer, payload: string): Buffer =>
  createHmac('sha256', secret).update(`killswitch-enrol-v1\n${payload}`).digest()

/** A token that needs no store: the enrolment and its HMAC with the operator's secret. */
export function mintEnrolmentToken(secret: Buffer, enrolment: Enrolment): string {
  const payload = Buffer.from(JSON.stringify(enrolment)).toString('base64url')
  return `${payload}.${mac(secret, payload).toString('base64url')}`
}

/** @returns null for a token that the secret did not make; expiry and single use are the caller's */
export function openEnrolmentToken(secret: Buffer, token: string): Enrolment | null {
  const [payload, given, ...rest] = token.split('.')
  if (payload === undefined || given === undefined || rest.length > 0) return null
  const expected = mac(secret, payload)
  const bytes = Buffer.from(given, 'base64url')
  if (bytes.length !== expected.length || !timingSafeEqual(bytes, expected)) return null
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Enrolment
}

/** Under which a used token is remembered: never the token itself. */
export const enrolmentTokenHash = (token: string): string => hash('sha256', token, 'hex')
