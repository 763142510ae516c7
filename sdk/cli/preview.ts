import type { Hex } from 'viem'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { isKilled } from '../../protocol/liveness.ts'
import { Rank } from '../../protocol/rank.ts'
import { killRankOf, stateIn } from '../../protocol/registry.ts'
import { agentTarget, ownerTarget, type Target } from '../../protocol/scope.ts'
import { formatSpiffeId } from '../../protocol/spiffeId.ts'
import { agentIdFromUuid } from '../../protocol/uuid.ts'
import type { AgentArgument } from './arguments.ts'
import { ArgumentError } from './arguments.ts'
import { type Chain, onChain, rpcTimeout } from './chain.ts'
import { printable } from './printable.ts'
import { readRegistry } from './registryReader.ts'
import { getAgents } from './relayer.ts'

/** What a kill will stop, from one source. */
export type Preview = {
  readonly target: Target
  readonly owner: Hex
  readonly running: readonly string[]
  readonly alreadyKilled: readonly string[]
  readonly source: 'chain' | 'relayer'
  /** Rank of the signer's kill; null where only the chain could tell. */
  readonly rank: Rank | null
  /** Unix seconds of the chain's head. */
  readonly blockTime: number | null
}

/** Trust domain of a deployment: part of all its SPIFFE IDs. */
export const trustDomainOf = ({ client, deployment, rpc }: Chain): Promise<string> =>
  onChain(rpc, rpcTimeout, () =>
    client.readContract({ address: deployment.contract, abi: killSwitchAbi, functionName: 'trustDomain' }),
  )

/**
 * The agent's owner as the contract has it.
 * @throws {ArgumentError} when the SPIFFE ID is not the registered one
 * @throws {ContractRefusedError} for an unknown agent
 */
export async function ownerOnChain({ client, deployment, rpc }: Chain, agent: AgentArgument): Promise<Hex> {
  const read = { address: deployment.contract, abi: killSwitchAbi } as const
  const args = [agentIdFromUuid(agent.name)] as const
  const spiffeId = await onChain(rpc, rpcTimeout, () =>
    client.readContract({ ...read, functionName: 'spiffeId', args }),
  )
  if (spiffeId !== agent.spiffeId)
    throw new ArgumentError(`${agent.spiffeId} is not registered; this agent is ${printable(spiffeId)}`)
  const owner = await onChain(rpc, rpcTimeout, () =>
    client.readContract({ ...read, functionName: 'ownerOf', args }),
  )
  return owner.toLowerCase() as Hex
}

/** @param wallet for scope Owner */
export async function previewOnChain(
  chain: Chain,
  agent: AgentArgument | null,
  wallet: Hex,
  signer: Hex,
): Promise<Preview> {
  const [{ registry, block }, trustDomain] = await Promise.all([readRegistry(chain), trustDomainOf(chain)])
  const target = agent === null ? ownerTarget(wallet) : agentTarget(agent.name)
  const covered = [...registry.agents.values()].filter((one) =>
    agent === null ? one.owner === wallet : one.uuid === agent.name,
  )
  const name = ({ uuid, agentType }: { uuid: string; agentType: string }) =>
    formatSpiffeId({ trustDomain, type: agentType, name: uuid })
  const stateOf = stateIn(registry)
  return {
    target,
    owner: wallet,
    running: covered.filter((one) => !isKilled(one, stateOf)).map(name),
    alreadyKilled: covered.filter((one) => isKilled(one, stateOf)).map(name),
    source: 'chain',
    rank: killRankOf(registry, signer, target, block.time) as Rank,
    blockTime: block.time,
  }
}

/** For when the chain cannot be read: what the relayer says. */
export async function previewAtRelayer(
  relayer: string,
  agent: AgentArgument | null,
  wallet: Hex | null,
): Promise<Preview> {
  const agents = await getAgents(relayer)
  const covered = agents.filter((one) =>
    agent === null ? one.owner.toLowerCase() === wallet : one.spiffeId === agent.spiffeId,
  )
  const owner = wallet ?? (covered[0]?.owner.toLowerCase() as Hex | undefined) ?? '0x'
  const isStopped = ({ state }: { state: string }) => /kill|revoked/i.test(state)
  return {
    target: agent === null ? ownerTarget(owner) : agentTarget(agent.name),
    owner,
    running: covered.filter((one) => !isStopped(one)).map((one) => one.spiffeId),
    alreadyKilled: covered.filter(isStopped).map((one) => one.spiffeId),
    source: 'relayer',
    rank: null,
    blockTime: null,
  }
}

/** Longer lists are cut; `--json` has them whole. */
const shown = 20

export function previewLines(preview: Preview, isAll: boolean): readonly string[] {
  const { running, alreadyKilled, owner, source } = preview
  const agents = (count: number) => `${count} ${count === 1 ? 'agent' : 'agents'}`
  const wallet = isAll ? `every agent of wallet ${owner}, present and future: ` : ''
  const lines = [`Will stop  ${wallet}${agents(running.length)} now (according to the ${source})`]
  for (const id of running.slice(0, shown)) lines.push(`           ${printable(id)}`)
  if (running.length > shown) lines.push(`           and ${running.length - shown} more`)
  if (alreadyKilled.length > 0)
    lines.push(`           ${agents(alreadyKilled.length)} killed already; the kill counts anew`)
  if (preview.rank === Rank.None) lines.push('warning    according to the chain this key has no kill over it')
  return lines
}
