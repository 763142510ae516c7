import { RpcResponseError, RpcUnavailableError } from './rpcErrors.ts'

/** The result of a JSON-RPC response. @throws {RpcResponseError} @throws {RpcUnavailableError} if it is none */
export function resultOf(url: string, method: string, response: unknown): unknown {
  if (typeof response !== 'object' || response === null) {
    throw new RpcUnavailableError(url, method, 'the answer is no JSON-RPC response')
  }
  const { result, error } = response as { result?: unknown; error?: unknown }
  if (typeof error === 'object' && error !== null) {
    const { code, message, data } = error as { code?: unknown; message?: unknown; data?: unknown }
    throw new RpcResponseError(url, method, { code: Number(code), message: String(message), data })
  }
  if (result === undefined)
    throw new RpcUnavailableError(url, method, 'the answer has neither result nor error')
  return result
}
