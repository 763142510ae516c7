import type { Schedule } from '../../schedule.ts'
import type { Rpc } from './rpc.ts'
import { maxAnswer, rpcTimeout } from './rpc.ts'
import { resultOf } from './rpcAnswer.ts'
import { RpcUnavailableError } from './rpcErrors.ts'

/** JSON-RPC over HTTP, one request per call over kept-alive connections. */
export function createHttpRpc(url: string, schedule: Schedule, longestAnswer = maxAnswer): Rpc {
  const closed = new AbortController()
  let nextId = 1
  return {
    url,
    async request(method, params, timeout = rpcTimeout) {
      const late = new AbortController()
      const cancel = schedule(timeout, () => late.abort(new Error(`no answer within ${timeout} ms`)))
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ jsonrpc: '2.0', id: nextId++, method, params }),
          redirect: 'error',
          signal: AbortSignal.any([late.signal, closed.signal]),
        })
        const text = await textOf(url, method, response, longestAnswer)
        // Nodes also send JSON-RPC errors with a status of 4xx or 5xx.
        let body: unknown
        try {
          body = JSON.parse(text)
        } catch {
          throw new RpcUnavailableError(url, method, `HTTP ${response.status} without a JSON body`)
        }
        return resultOf(url, method, body)
      } catch (error) {
        if (!(error instanceof TypeError) && !late.signal.aborted && !closed.signal.aborted) throw error
        const { message, cause } = error as Error
        throw new RpcUnavailableError(url, method, cause instanceof Error ? cause.message : message, error)
      } finally {
        cancel()
      }
    },
    onHeads() {},
    onConnected() {},
    close: () => closed.abort(new Error('closed')),
  }
}

/** @param max bytes @throws {RpcUnavailableError} where it goes on beyond that */
async function textOf(url: string, method: string, response: Response, max: number): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.length
    if (size > max) throw new RpcUnavailableError(url, method, `its answer is over ${max} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
