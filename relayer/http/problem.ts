import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { InvalidBase64UrlError } from '../../protocol/bytes.ts'
import { InvalidOrderError } from '../../protocol/order.ts'
import { InvalidSpiffeIdError } from '../../protocol/spiffeId.ts'
import { InvalidSvidError } from '../../protocol/svidSubject.ts'
import { ReportRefusedError } from '../audit/report.ts'
import { SignatureUncheckedError } from '../chain/verifyAuthority.ts'
import { IssuanceRefusedError } from '../identity/issuanceRefused.ts'
import { JournalFailedError } from '../kill/journalPort.ts'
import { OrderRefusedError } from '../kill/orderRefused.ts'
import { AcknowledgementRefusedError } from '../kill/points.ts'
import { TooManyOrdersError } from './admission/turns.ts'

/** RFC 9457 problem document; `field`, `value` and `retryAt` are ours. */
export const problemSchema = z
  .object({
    type: z.string().openapi({ example: 'https://killswitch.ai/problems/not-authorized' }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    field: z.string().optional().openapi({ description: 'the part of the request at fault' }),
    value: z.string().optional().openapi({ description: 'what was found there, shortened' }),
    retryAt: z.number().optional().openapi({ description: 'from when the same request is granted, in ms' }),
  })
  .openapi('Problem')

export type Problem = z.infer<typeof problemSchema>

/** A problem of the request itself. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly problem: Problem
  constructor(status: number, slug: string, title: string, detail: string, field?: string, value?: unknown) {
    super(detail)
    this.problem = problemOf(status, slug, title, detail, field, value)
  }
}

export function problemOf(
  status: number,
  slug: string,
  title: string,
  detail: string,
  field?: string,
  value?: unknown,
): Problem {
  return {
    type: `https://killswitch.ai/problems/${slug}`,
    title,
    status,
    detail,
    ...(field === undefined ? {} : { field }),
    ...(value === undefined ? {} : { value: String(value).slice(0, 200) }),
  }
}

const orderProblems: Record<OrderRefusedError['kind'], readonly [number, string, string]> = {
  'unknown agent': [404, 'unknown-agent', 'Unknown agent'],
  'unknown wallet': [404, 'unknown-wallet', 'The wallet owns no agent'],
  'not authorized': [403, 'not-authorized', 'No authority over the subject'],
  'bad signature': [422, 'bad-signature', 'Wrongly signed'],
  superseded: [410, 'order-superseded', 'The order came before a resume'],
  replayed: [409, 'nonce-used', 'The nonce is used'],
  burnt: [410, 'order-burnt', 'The order was burnt'],
}

const issuanceProblems: Record<IssuanceRefusedError['kind'], readonly [number, string, string]> = {
  'unknown agent': [404, 'unknown-agent', 'Unknown agent'],
  killed: [403, 'agent-killed', 'The agent is killed'],
  'no key': [403, 'key-cleared', 'The agent has no key'],
  'other identity': [403, 'other-identity', 'Not your identity'],
  'bad proof': [401, 'bad-proof', 'The proof does not hold'],
  'bad request': [400, 'malformed-request', 'Malformed request'],
  'bad token': [401, 'bad-token', 'The token does not hold'],
  'proof needed': [401, 'proof-needed', 'A fresh proof is needed'],
  revoked: [403, 'svid-revoked', 'The SVID is revoked'],
  blind: [503, 'relayer-blind', 'The relayer has no fresh view of the chain'],
  'cooling down': [403, 'resume-cooling-down', 'The resume is too recent'],
  'policies unread': [503, 'policies-unread', 'Kill policies are not read yet'],
  'quota filled': [402, 'quota-filled', "The owner's quota is filled"],
  'not enrolled': [404, 'not-enrolled', 'Not enrolled'],
}

/** The problem document of an error; null for one that nobody foresaw. */
export function problemFor(error: unknown): Problem | null {
  if (error instanceof RequestError) return error.problem
  if (error instanceof OrderRefusedError)
    return problemOf(...orderProblems[error.kind], error.message, error.field, error.value)
  if (error instanceof IssuanceRefusedError)
    return {
      ...problemOf(...issuanceProblems[error.kind], error.message, error.field, error.value),
      ...(error.retryAt === null ? {} : { retryAt: error.retryAt }),
    }
  if (error instanceof InvalidOrderError) {
    const [status, slug, title] =
      error.kind === 'expired'
        ? ([410, 'order-expired', 'The order has expired'] as const)
        : ([400, 'malformed-request', 'Malformed request'] as const)
    return problemOf(status, slug, title, error.message, `order.${error.field}`, error.value)
  }
  if (error instanceof InvalidBase64UrlError) {
    return problemOf(400, 'malformed-request', 'Malformed request', error.message, 'proof', error.value)
  }
  if (error instanceof InvalidSpiffeIdError)
    return problemOf(400, 'malformed-request', 'Malformed request', error.message, 'spiffeId', error.value)
  if (error instanceof InvalidSvidError)
    return problemOf(403, 'svid-revoked', 'The SVID is not acceptable', error.message, error.field)
  if (error instanceof ReportRefusedError)
    return problemOf(403, 'other-identity', 'Not your identity', error.message, 'svid', error.spiffeId)
  if (error instanceof AcknowledgementRefusedError)
    return problemOf(
      409,
      'acknowledgement-refused',
      'The acknowledgement does not hold',
      error.message,
      error.field,
      error.value,
    )
  if (error instanceof SignatureUncheckedError) {
    return problemOf(
      503,
      'signature-unchecked',
      'The signature could not be checked',
      error.message,
      'signature',
    )
  }
  if (error instanceof TooManyOrdersError)
    return problemOf(429, 'too-many-orders', 'Too many orders', error.message)
  if (error instanceof JournalFailedError)
    return problemOf(
      503,
      'not-durable',
      'Not durable',
      `what was decided holds (a kill is enforced and published), but it is not durable: ${error.message}`,
    )
  return null
}

/** Answers with a problem document. */
export const answerProblem = (context: Context, problem: Problem): Response =>
  context.body(JSON.stringify(problem), problem.status as 400, {
    'content-type': 'application/problem+json',
    ...(problem.retryAt === undefined ? {} : { 'retry-after': new Date(problem.retryAt).toUTCString() }),
  })
