import { spawn } from 'node:child_process'
import path from 'node:path'
import process from 'node:process'
import { createPublicClient, defineChain, http } from 'viem'
import type { LocalChain } from '../../scripts/lib/localChain.ts'
import { claimPorts } from '../../scripts/lib/ports.ts'
import { promptly } from '../../scripts/lib/schedule.ts'
import { SetupError } from '../../scripts/lib/setupError.ts'

const wrapper = path.resolve(import.meta.dirname, '../../node_modules/@foundry-rs/anvil/bin.mjs')
const chainId = 31337
/** ms */
const startTimeout = 30_000
const lookPeriod = 1_000

export type AnvilChain = LocalChain & {
  readonly wsRpc: string
  /**
   * Mines a block every so many seconds from now on, instead of one per transaction: a relayer that sees no new block
   * calls itself blind after a while, and issues nothing.
   */
  mineEvery(seconds: number): Promise<void>
}

/** A real node of its own process; it mines a block with each transaction until told otherwise. */
export async function startAnvilChain(...args: readonly string[]): Promise<AnvilChain> {
  const { port } = await claimPorts({ port: { what: 'the chain', option: '--port', port: 0 } })
  const [command, all] = promptly(process.execPath, [
    wrapper,
    // A line per request would cost it and us time.
    '--quiet',
    ...['--port', String(port), '--chain-id', String(chainId)],
    ...args,
  ])
  const child = spawn(
    command,
    all,
    // Ctrl-C reaches the whole group of the terminal; it is stopped by us, after those that use it.
    { stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  )
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2_000)
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const rpc = `http://127.0.0.1:${port}`
  const client = createPublicClient({
    transport: http(rpc, { retryCount: 0, timeout: 120_000 }),
    pollingInterval: 20,
    chain: defineChain({
      id: chainId,
      name: 'anvil',
      nativeCurrency: { name: 'ether', symbol: 'ETH', decimals: 18 },
      rpcUrls: { default: { http: [rpc] } },
    }),
  })
  const request = (method: string, params: readonly unknown[]): Promise<unknown> =>
    client.request({ method, params } as never)
  const close = async (): Promise<void> => {
    // Not SIGKILL: npm's wrapper passes only SIGTERM and SIGINT on to the node itself.
    child.kill('SIGTERM')
    await ended
  }
  process.once('exit', () => child.kill('SIGTERM'))

  for (const deadline = performance.now() + startTimeout; ; ) {
    try {
      await client.getChainId()
      break
    } catch {
      if (child.exitCode !== null) throw new SetupError(`anvil ended: ${errors.trim()}`)
      if (performance.now() > deadline) {
        await close()
        throw new SetupError(`anvil did not answer within ${startTimeout / 1000} s`)
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  return {
    rpc,
    wsRpc: `ws://127.0.0.1:${port}`,
    client,
    chainId,
    request,
    // It mines with each transaction until `mineEvery`, which comes after setting up. viem looks for a receipt at each
    // new block, and on a busy machine a moment too early; without a further block it would wait in vain.
    async withoutWaiting(run) {
      let last: unknown = null
      const look = async (): Promise<void> => {
        const block = await request('eth_blockNumber', [])
        if (block === last) await request('evm_mine', [])
        last = block
      }
      const timer = setInterval(() => void look().catch(() => {}), lookPeriod)
      try {
        return await run()
      } finally {
        clearInterval(timer)
      }
    },
    mineEvery: async (seconds) => {
      await request('evm_setIntervalMining', [seconds])
    },
    close,
  }
}
