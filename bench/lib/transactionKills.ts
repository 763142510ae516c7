import { encodeFunctionData, type Hex, type PrivateKeyAccount } from 'viem'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { Reason } from '../../protocol/reason.ts'
import { agentTarget } from '../../protocol/scope.ts'
import type { FleetAgent } from '../../scripts/lib/fleet.ts'
import type { BareWorld } from './bareWorld.ts'

const gas = 300_000n

/** What sends calls of the contract in the name of a wallet, signed beforehand; they must be sent in this order. */
export async function transactionSender({ chain, deployment }: BareWorld, account: PrivateKeyAccount) {
  let nonce = await chain.client.getTransactionCount({ address: account.address })
  const fees = await chain.client.estimateFeesPerGas()
  return async (data: Hex): Promise<() => Promise<Hex>> => {
    const raw = await account.signTransaction({
      type: 'eip1559',
      chainId: chain.chainId,
      to: deployment.contract,
      data,
      nonce: nonce++,
      gas,
      // The base fee moves while kills are prepared.
      maxFeePerGas: fees.maxFeePerGas * 10n,
      maxPriorityFeePerGas: fees.maxPriorityFeePerGas,
    })
    return async () => (await chain.request('eth_sendRawTransaction', [raw])) as Hex
  }
}

/** The call that kills one agent. */
export function killCall(agent: FleetAgent, text: string): Hex {
  const { scope, subject } = agentTarget(agent.uuid)
  return encodeFunctionData({
    abi: killSwitchAbi,
    functionName: 'kill',
    args: [scope, subject, Reason.Drill, text],
  })
}

/** The call that kills all agents of a wallet. */
export const emergencyCall = (wallet: Hex, text: string): Hex =>
  encodeFunctionData({
    abi: killSwitchAbi,
    functionName: 'emergencyKill',
    args: [wallet, Reason.Drill, text],
  })

/** A signed kill for each agent. @returns what sends each; it resolves with the transaction's hash */
export async function transactionKills(
  world: BareWorld,
  account: PrivateKeyAccount,
  agents: readonly FleetAgent[],
): Promise<readonly (() => Promise<Hex>)[]> {
  const prepare = await transactionSender(world, account)
  const prepared = []
  for (const agent of agents) prepared.push(await prepare(killCall(agent, 'bench')))
  return prepared
}
