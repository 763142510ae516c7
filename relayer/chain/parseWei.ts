import { InconsistentRpcError } from './rpc/rpcErrors.ts'

/** A quantity of any size. @throws {InconsistentRpcError} */
export function parseWei(what: string, value: unknown): bigint {
  if (typeof value !== 'string' || !/^0x[0-9a-f]+$/i.test(value))
    throw new InconsistentRpcError(`${what} is no quantity`, value)
  return BigInt(value)
}
