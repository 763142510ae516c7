import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type Abi, createWalletClient, encodeFunctionData, type Hex, http, toHex } from 'viem'
import type { BareWorld } from '../lib/bareWorld.ts'

const source = 'KillLoader.sol'
/** Transactions that are handed in and mined together, each into a block of its own. */
const batch = 500
/** Of one call, with room; the block's limit too, so that a block holds one. */
const gas = 400_000

/** The compiler that the contracts are built with; it has no types. */
type Compiler = { compile(input: string): string }

async function compileLoader(): Promise<{ readonly abi: Abi; readonly bytecode: Hex }> {
  const { default: solc } = (await import('solc' as string)) as { default: Compiler }
  const content = readFileSync(path.join(import.meta.dirname, source), 'utf8')
  const output = JSON.parse(
    solc.compile(
      JSON.stringify({
        language: 'Solidity',
        sources: { [source]: { content } },
        settings: {
          optimizer: { enabled: true },
          evmVersion: 'prague',
          outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
        },
      }),
    ),
  ) as { contracts: { [source]: { KillLoader: { abi: Abi; evm: { bytecode: { object: string } } } } } }
  const { abi, evm } = output.contracts[source].KillLoader
  return { abi, bytecode: `0x${evm.bytecode.object}` }
}

/**
 * Writes kill events into blocks, `killsPerBlock` into each, on an anvil that mines with each transaction.
 * @returns how many kill events there are now
 */
export async function loadKills(
  { chain, wallets, deployment }: BareWorld,
  options: {
    readonly blocks: number
    readonly killsPerBlock: number
    readonly agents: number
    readonly progress: (blocks: number) => void
  },
): Promise<number> {
  const { abi, bytecode } = await compileLoader()
  const { alice, bob } = wallets.accounts
  const hash = await createWalletClient({
    account: alice,
    chain: chain.client.chain,
    transport: http(chain.rpc),
  }).deployContract({ abi, bytecode, args: [deployment.contract, BigInt(options.agents)] })
  const { contractAddress } = await chain.client.waitForTransactionReceipt({ hash })
  // Unsigned transactions: signing 25,000 would take as long as mining them.
  await chain.request('anvil_impersonateAccount', [bob.address])
  await chain.request('evm_setAutomine', [false])
  await chain.request('evm_setBlockGasLimit', [toHex(gas)])
  for (let from = 0; from < options.blocks; from += batch) {
    const count = Math.min(batch, options.blocks - from)
    const calls = Array.from({ length: count }, (_, index) => ({
      jsonrpc: '2.0',
      id: index,
      method: 'eth_sendTransaction',
      params: [
        {
          from: bob.address,
          to: contractAddress,
          gas: toHex(gas),
          gasPrice: toHex(5_000_000_000),
          nonce: toHex(from + index),
          data: encodeFunctionData({
            abi,
            functionName: 'load',
            args: [BigInt((from + index) * options.killsPerBlock), BigInt(options.killsPerBlock)],
          }),
        },
      ],
    }))
    const response = await fetch(chain.rpc, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(calls),
    })
    const answers = (await response.json()) as readonly { error?: { message: string } }[]
    const refused = answers.find(({ error }) => error !== undefined)
    if (refused !== undefined) throw new Error(`anvil refused a transaction: ${refused.error?.message}`)
    await chain.request('anvil_mine', [toHex(count)])
    options.progress(from + count)
  }
  await chain.request('evm_setBlockGasLimit', [toHex(30_000_000)])
  await chain.request('evm_setAutomine', [true])
  return options.blocks * options.killsPerBlock
}
