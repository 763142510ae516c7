import path from 'node:path'
import process from 'node:process'
import {
  type Chain,
  createPublicClient,
  defineChain,
  type HttpTransport,
  http,
  type PublicClient,
} from 'viem'

/** A chain of this process with a JSON-RPC server; it mines every second. */
export type LocalChain = {
  readonly rpc: string
  readonly client: PublicClient<HttpTransport, Chain>
  readonly chainId: number
  request(method: string, params: readonly unknown[]): Promise<unknown>
  /** Runs something with every transaction mined at once, so that setting up does not wait for blocks. */
  withoutWaiting<T>(run: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

export async function startLocalChain(port: number): Promise<LocalChain> {
  // Hardhat looks for its configuration from the working directory upwards, which can be any.
  process.env.HARDHAT_CONFIG ??= path.resolve(import.meta.dirname, '../../hardhat.config.ts')
  process.env.HARDHAT_DISABLE_TELEMETRY ??= 'true'
  const { network } = await import('hardhat')
  const server = await network.createServer({ network: 'local' }, '127.0.0.1', port)
  const address = await server.listen()
  const rpc = `http://127.0.0.1:${address.port}`
  const transport = http(rpc)
  const chainId = await createPublicClient({ transport }).getChainId()
  const client = createPublicClient({
    transport,
    pollingInterval: 50,
    chain: defineChain({
      id: chainId,
      name: 'local chain',
      nativeCurrency: { name: 'ether', symbol: 'ETH', decimals: 18 },
      rpcUrls: { default: { http: [rpc] } },
    }),
  })
  const request = (method: string, params: readonly unknown[]): Promise<unknown> =>
    client.request({ method, params } as never)
  return {
    rpc,
    client,
    chainId,
    request,
    async withoutWaiting(run) {
      await request('evm_setAutomine', [true])
      try {
        return await run()
      } finally {
        await request('evm_setAutomine', [false])
      }
    },
    close: () => server.close(),
  }
}
