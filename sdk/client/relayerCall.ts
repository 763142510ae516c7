import { readBounded } from './boundedBody.ts'
import { describeError } from './log.ts'
import { type Problem, readProblem } from './problem.ts'

/** The part of `fetch` that the SDK uses. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** A relayer said no; `problem` says why. */
export class RelayerRefusedError extends Error {
  override readonly name = 'RelayerRefusedError'
  readonly url: string
  readonly problem: Problem
  constructor(url: string, problem: Problem) {
    super(`${url} answered ${problem.status} (${problem.title}): ${problem.detail}`)
    this.url = url
    this.problem = problem
  }
}

/** A relayer could not be asked; trying again may help. */
export class RelayerUnreachableError extends Error {
  override readonly name = 'RelayerUnreachableError'
  readonly url: string
  constructor(url: string, cause: unknown) {
    super(`${url} could not be reached: ${describeError(cause)}`, { cause })
    this.url = url
  }
}

/** Longest answer to a call, in bytes: an SVID with its bundle is a few kB. */
export const maxAnswer = 1_048_576

/** What came back, whatever carried it. @throws {RelayerRefusedError} */
export function readAnswer(url: string, status: number, body: string): unknown {
  if (status < 200 || status > 299) throw new RelayerRefusedError(url, readProblem(status, body))
  if (body === '') return null
  try {
    return JSON.parse(body)
  } catch (cause) {
    throw new RelayerUnreachableError(url, cause)
  }
}

/**
 * A JSON call of a relayer's public listener: a POST of `body`, or without one a GET.
 * @param timeout in ms, for the whole call
 * @param limit longest answer in bytes; `maxAnswer` unless told otherwise
 * @throws {RelayerRefusedError | RelayerUnreachableError}
 */
export async function callPublic(options: {
  readonly url: string
  readonly body?: unknown
  readonly token?: string
  readonly fetch: Fetch
  readonly timeout: number
  readonly limit?: number
}): Promise<unknown> {
  const { url, body, limit = maxAnswer } = options
  let status: number
  let text: string
  try {
    const response = await options.fetch(url, {
      // A redirect could lead a token, a proof or an order to somebody else.
      redirect: 'error',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(options.timeout),
    })
    status = response.status
    text = await readBounded(response.body, limit)
  } catch (cause) {
    throw new RelayerUnreachableError(url, cause)
  }
  return readAnswer(url, status, text)
}
