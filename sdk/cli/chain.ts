import {
  BaseError,
  createPublicClient,
  defineChain,
  HttpRequestError,
  http,
  type PublicClient,
  RpcRequestError,
  TimeoutError,
} from 'viem'
import { type Deployment, deployments } from '../../protocol/deployment.ts'
import { CliError } from './cliError.ts'
import { readChainError } from './contractError.ts'
import { exitCode } from './exitCode.ts'
import { OptionError } from './options.ts'
import { addressOf, integerOf, type Settings, urlOf } from './settings.ts'

/** The RPC does not answer, or not in a way that this program understands. */
export class RpcUnreachableError extends CliError {
  override readonly name = 'RpcUnreachableError'
  readonly rpc: string
  constructor(rpc: string, why: string, cause?: unknown) {
    super(exitCode.unreachable, `the RPC ${originOf(rpc)} ${why}; --rpc names another`, { cause })
    this.rpc = rpc
  }
}

/** Addresses of RPCs often carry a key in their path: only the origin is shown. */
const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : url)

/** A chain that answers and on which the contract stands. */
export type Chain = {
  readonly rpc: string
  readonly client: PublicClient
  readonly deployment: Deployment
  readonly fromBlock: bigint
}

const chainIdOf = (settings: Settings): number | undefined => {
  const setting = settings.get('chain-id')
  return setting === undefined ? undefined : integerOf(setting, 1, Number.MAX_SAFE_INTEGER)
}

/** The deployment that the settings name without any help of an RPC, if they do. @throws {OptionError} */
export function namedDeployment(settings: Settings, chainId = chainIdOf(settings)): Deployment | undefined {
  if (chainId === undefined) return undefined
  const contract = settings.get('contract')
  return contract === undefined ? deployments[chainId] : { chainId, contract: addressOf(contract) }
}

/** Network causes in a word: `connection refused`, `no such host`, `no answer within 5 s`. */
function whyUnreachable(error: BaseError, timeout: number): string {
  if (error.walk((one) => one instanceof TimeoutError) !== null)
    return `gave no answer within ${timeout / 1000} s`
  const request = error.walk((one) => one instanceof HttpRequestError)
  if (request instanceof HttpRequestError && request.status !== undefined)
    return `answered with HTTP status ${request.status}`
  const { code } = (error.walk((one) => typeof (one as { code?: unknown }).code === 'string') ?? {}) as {
    code?: string
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'cannot be found (no such host, or no network)'
  return `cannot be reached${code === undefined ? '' : ` (${code})`}`
}

/**
 * Runs calls to the chain and gives their failures words.
 * @throws {RpcUnreachableError | ContractRefusedError | CliError}
 */
export async function onChain<T>(rpc: string, timeout: number, calls: () => Promise<T>): Promise<T> {
  try {
    return await calls()
  } catch (error) {
    if (error instanceof BaseError) {
      const lost = error.walk((one) => one instanceof HttpRequestError || one instanceof TimeoutError)
      if (lost !== null) throw new RpcUnreachableError(rpc, whyUnreachable(error, timeout), error)
      const known = readChainError(error)
      if (known !== error) throw known
      const refused = error.walk((one) => one instanceof RpcRequestError)
      if (refused instanceof RpcRequestError)
        throw new CliError(exitCode.refused, `the RPC ${originOf(rpc)} refuses: ${refused.details}`, {
          cause: error,
        })
    }
    throw error
  }
}

/** How long an answer of an RPC may take, in ms. */
export const rpcTimeout = 10_000

/**
 * Connects to the RPC and makes sure that it is the chain meant and that the contract is there.
 * @param timeout in ms, for each answer
 * @throws {OptionError | RpcUnreachableError}
 */
export async function openChain(settings: Settings, timeout = rpcTimeout): Promise<Chain> {
  const setting = settings.get('rpc')
  if (setting === undefined) throw new OptionError('--rpc', 'is needed: this reads from the chain')
  const rpc = urlOf(setting)
  const block = settings.get('from-block')
  const fromBlock = block === undefined ? 0n : BigInt(integerOf(block, 0, Number.MAX_SAFE_INTEGER))
  const transport = http(rpc, { timeout, retryCount: 1, retryDelay: 100 })
  const chainId = await onChain(rpc, timeout, () => createPublicClient({ transport }).getChainId())
  const expected = chainIdOf(settings)
  if (expected !== undefined && expected !== chainId) {
    throw new OptionError(
      settings.get('chain-id')?.source ?? '--chain-id',
      `says ${expected}, but the RPC ${originOf(rpc)} is chain ${chainId}`,
    )
  }
  const deployment = namedDeployment(settings, chainId)
  if (deployment === undefined)
    throw new OptionError('--contract', `is needed: no deployment on chain ${chainId} is known`)
  const client = createPublicClient({
    transport,
    pollingInterval: 250,
    chain: defineChain({
      id: chainId,
      name: `chain ${chainId}`,
      nativeCurrency: { name: 'ether', symbol: 'ETH', decimals: 18 },
      rpcUrls: { default: { http: [rpc] } },
    }),
  })
  const code = await onChain(rpc, timeout, () => client.getCode({ address: deployment.contract }))
  if (code === undefined || code === '0x') {
    throw new OptionError(
      settings.get('contract')?.source ?? '--contract',
      `${deployment.contract} has no code on chain ${chainId}`,
    )
  }
  return { rpc, client, deployment, fromBlock }
}
