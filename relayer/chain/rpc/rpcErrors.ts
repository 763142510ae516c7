/** `wss://host/v3/key` becomes `wss://host`: paths and queries of RPC addresses carry keys. */
export const rpcLabel = (url: string): string => {
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}

/** No answer: connection refused, broken off, or silent for too long. */
export class RpcUnavailableError extends Error {
  override readonly name = 'RpcUnavailableError'
  readonly rpc: string
  readonly method: string
  constructor(url: string, method: string, why: string, cause?: unknown) {
    super(`${rpcLabel(url)} did not answer ${method}: ${why}; check the address and the node`, { cause })
    this.rpc = rpcLabel(url)
    this.method = method
  }
}

/** The node answered with a JSON-RPC error. `code` and `data` are as it gave them. */
export class RpcResponseError extends Error {
  override readonly name = 'RpcResponseError'
  readonly rpc: string
  readonly method: string
  readonly code: number
  readonly data: unknown
  /** The node's own words, for viem, which looks for them. */
  readonly details: string
  constructor(
    url: string,
    method: string,
    error: { readonly code: number; readonly message: string; readonly data?: unknown },
  ) {
    super(`${rpcLabel(url)} refused ${method}: ${error.message} (code ${error.code})`)
    this.rpc = rpcLabel(url)
    this.method = method
    this.code = error.code
    this.data = error.data
    this.details = error.message
  }
}

/** The answer is malformed or contradicts what the node or another has said: it lags or lies. */
export class InconsistentRpcError extends Error {
  override readonly name = 'InconsistentRpcError'
  readonly what: string
  readonly value: unknown
  constructor(what: string, value: unknown) {
    super(
      `inconsistent answer of an RPC: ${what} (${JSON.stringify(value) ?? 'nothing'}); another RPC is asked`,
    )
    this.what = what
    this.value = value
  }
}

/** The RPC serves another chain than the deployment's. */
export class WrongChainError extends Error {
  override readonly name = 'WrongChainError'
  readonly rpc: string
  readonly expected: number
  readonly actual: number
  constructor(url: string, expected: number, actual: number) {
    super(
      `${rpcLabel(url)} serves chain ${actual}, but the deployment is on ${expected}; change the RPC or the deployment`,
    )
    this.rpc = rpcLabel(url)
    this.expected = expected
    this.actual = actual
  }
}

/** An execution that reverted is the chain's answer, not the node's failure: another node would say the same. */
export const isRevert = (error: unknown): error is RpcResponseError =>
  error instanceof RpcResponseError && (error.code === 3 || /revert/i.test(error.details))
