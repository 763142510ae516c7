import { STATUS_CODES } from 'node:http'
import { rankName } from '../../protocol/rank.ts'
import { reasonName } from '../../protocol/reason.ts'
import { scopeName } from '../../protocol/scope.ts'
import { type Problem, problemBase, problemMediaType } from '../client/problem.ts'
import type { Judgement } from './judge.ts'

export type Denied = Exclude<Judgement, { readonly allowed: true }>

/** The problem document that a denied peer gets. */
export function denialProblem(denied: Denied): Problem {
  switch (denied.why) {
    case 'killed': {
      const { row } = denied
      const reason = reasonName(row.reason)
      return {
        type: `${problemBase}agent-killed`,
        title: 'This agent was killed',
        status: 403,
        detail: `Killed by scope ${scopeName(row.scope)} at rank ${rankName(row.rank)}, reason: ${reason}${row.text === '' ? '' : ` (${row.text})`}.`,
        reason,
        reasonCode: row.reason,
        reasonText: row.text,
        scope: scopeName(row.scope),
        rank: rankName(row.rank),
        killId: row.killId,
        final: !row.provisional,
      }
    }
    case 'other deployment':
      return {
        type: `${problemBase}other-deployment`,
        title: 'This SVID belongs to another deployment',
        status: 403,
        detail: `It is of ${denied.deployment}, which this service does not follow; attest to a relayer of the service's deployment.`,
        deployment: denied.deployment,
      }
    case 'expired':
      return {
        type: `${problemBase}svid-expired`,
        title: 'The SVID of this connection has expired',
        status: 403,
        detail: `It ended at ${new Date(denied.notAfter).toISOString()}; connect again with a renewed one.`,
      }
    case 'no fresh feed':
      return {
        type: `${problemBase}revocations-unknown`,
        title: 'Who is killed is not known at the moment',
        status: 503,
        detail: `${denied.fresh} of ${denied.feeds.length} revocation feeds are fresh, ${denied.needed} needed; everything is denied until then.`,
        feeds: denied.feeds,
      }
  }
}

/** For connections that show no usable SVID. */
export const unidentifiedProblem = (why: string): Problem => ({
  type: `${problemBase}unidentified-peer`,
  title: 'This connection shows no usable SVID',
  status: 403,
  detail: why,
})

/** Headers of a denial; the connection ends with it. */
export const denialHeaders = (body: string): Record<string, string> => ({
  'content-type': problemMediaType,
  'content-length': String(Buffer.byteLength(body)),
  'cache-control': 'no-store',
  connection: 'close',
})

/** A whole HTTP/1.1 response, for sockets on which no handler may write any more. */
export function rawDenial(problem: Problem): string {
  const body = JSON.stringify(problem)
  const headers = Object.entries(denialHeaders(body)).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n${headers.join('')}\r\n${body}`
}
