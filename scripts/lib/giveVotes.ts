import { createPublicClient, createWalletClient, defineChain, type Hex, http, type LocalAccount } from 'viem'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import { SetupError } from './setupError.ts'

/**
 * Gives tokens to accounts. Those that delegate to themselves count in votes.
 * @throws {SetupError}
 */
export async function giveVotes(options: {
  readonly rpc: string
  readonly token: Hex
  readonly from: LocalAccount
  /** Amounts in the token's smallest unit. */
  readonly to: readonly {
    readonly holder: LocalAccount
    readonly amount: bigint
    /** Unless false. */
    readonly delegates?: boolean
  }[]
}): Promise<void> {
  const { rpc, token, from, to } = options
  const transport = http(rpc)
  const id = await createPublicClient({ transport }).getChainId()
  const chain = defineChain({
    id,
    name: `chain ${id}`,
    nativeCurrency: { name: 'ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpc] } },
  })
  const client = createPublicClient({ chain, transport, pollingInterval: 50 })
  const wallet = createWalletClient({ chain, transport })
  const call = { address: token, abi: killswitchTokenAbi } as const
  const mined = async (hash: Hex, what: string) => {
    const { status } = await client.waitForTransactionReceipt({ hash })
    if (status !== 'success') throw new SetupError(`the token refused ${what} (${hash})`)
  }
  for (const { holder, amount, delegates = true } of to) {
    const args = [holder.address, amount] as const
    await mined(
      await wallet.writeContract({ ...call, account: from, functionName: 'transfer', args }),
      `a transfer to ${holder.address}`,
    )
    if (!delegates) continue
    await mined(
      await wallet.writeContract({
        ...call,
        account: holder,
        functionName: 'delegate',
        args: [holder.address],
      }),
      `a delegation of ${holder.address}`,
    )
  }
}
