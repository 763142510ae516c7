import type { RpcHeader } from './rpcBlock.ts'

/** One connection to a node. */
export type Rpc = {
  readonly url: string
  /**
   * @throws {RpcUnavailableError} without an answer within the time limit
   * @throws {RpcResponseError}
   */
  request(method: string, params: readonly unknown[], timeout?: number): Promise<unknown>
  /** Calls back for every new head that the node announces by itself; a no-op where it cannot. */
  onHeads(listener: (header: RpcHeader, seenMonotonic: number) => void): void
  /** Calls back when the connection stands (again): heads may have been missed. */
  onConnected(listener: () => void): void
  close(): void
}

/** Longest answer that is read: some ten times the logs that nodes give at once. In bytes (WebSocket: characters). */
export const maxAnswer = 64 * 1024 * 1024

/** Longest wait for an answer, in ms. */
export const rpcTimeout = 2_000
