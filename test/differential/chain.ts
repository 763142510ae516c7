import { network } from 'hardhat'
import { createClient, custom, type Hex, publicActions, testActions, walletActions } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killSwitchBytecode } from '../../protocol/generated/killSwitchBytecode.ts'

/** Hardhat's well-known development phrase; its chain has these accounts unlocked and funded. */
const mnemonic = 'test test test test test test test test test test test junk'
const signers = Array.from({ length: 12 }, (_, addressIndex) => mnemonicToAccount(mnemonic, { addressIndex }))
export type Signer = (typeof signers)[number]

const signer = (index: number): Signer => {
  const found = signers[index]
  if (found === undefined) throw new RangeError(`there is no account ${index}`)
  return found
}
export const roles = {
  sender: signer(0),
  governance: signer(1),
  council: signer(2),
  emergencyGovernor: signer(3),
  owners: [signer(4), signer(5), signer(6)],
  guardians: [signer(7), signer(8)],
  breaker: signer(9),
  agentWallet: signer(10),
  stranger: signer(11),
} as const
export const everyone: readonly Signer[] = signers

export const trustDomain = 'killswitch.test'
export const minCooldown = 300
/** Of Breaker, Owner, Council and Governance, in seconds. */
export const cooldowns = [300, 600, 900, 1200] as const

/** Answers every call with the block's time, so that views and time come out of one call. */
const clockBytecode: Hex = '0x684260005260206000f360005260096017f3'

/** An in-process chain that mines each transaction, and a client with JSON-RPC accounts. */
export async function startChain() {
  const connection = await network.create()
  const request = connection.provider.request.bind(connection.provider) as never
  const transport = custom({ request }, { retryCount: 0 })
  const client = createClient({ transport, pollingInterval: 5 })
    .extend(publicActions)
    .extend(walletActions)
    .extend(testActions({ mode: 'hardhat' }))
  const chainId = await client.getChainId()

  const mined = async (hash: Hex) => client.getTransactionReceipt({ hash })
  const create = async (data: Hex): Promise<Hex> => {
    const hash = await client.sendTransaction({
      account: roles.sender.address,
      chain: null,
      data,
      gas: 12_000_000n,
    })
    const { contractAddress } = await mined(hash)
    if (contractAddress == null) throw new Error(`deployment ${hash} gave no contract`)
    return contractAddress.toLowerCase() as Hex
  }

  return {
    client,
    transport,
    chainId,
    mined,
    clock: await create(clockBytecode),
    async deploy(): Promise<Hex> {
      const hash = await client.deployContract({
        abi: killSwitchAbi,
        bytecode: killSwitchBytecode,
        account: roles.sender.address,
        chain: null,
        gas: 12_000_000n,
        args: [
          {
            trustDomain,
            governance: roles.governance.address,
            council: roles.council.address,
            emergencyGovernor: roles.emergencyGovernor.address,
            minCooldown,
            cooldowns,
          },
        ],
      })
      const { contractAddress } = await mined(hash)
      if (contractAddress == null) throw new Error(`deployment ${hash} gave no contract`)
      return contractAddress.toLowerCase() as Hex
    },
    close: () => connection.close(),
  }
}

export type Chain = Awaited<ReturnType<typeof startChain>>
