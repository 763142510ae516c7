import type { Rpc } from './rpc.ts'
import { rpcTimeout } from './rpc.ts'
import { resultOf } from './rpcAnswer.ts'
import { RpcUnavailableError } from './rpcErrors.ts'
import type { Schedule } from './schedule.ts'

/** JSON-RPC over HTTP, one request per call over kept-alive connections. */
export function createHttpRpc(url: string, schedule: Schedule): Rpc {
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
        const text = await response.text()
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
