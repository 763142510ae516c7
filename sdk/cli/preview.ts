import type { Hex } from 'viem'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { type AgentIdentity, isKilled } from '../../protocol/liveness.ts'
import { Rank } from '../../protocol/rank.ts'
import { stateIn } from '../../protocol/registry.ts'
import { agentTarget, ownerTarget, type Target } from '../../protocol/scope.ts'
import { agentSpiffeId } from '../../protocol/spiffeId.ts'
import { agentIdFromUuid } from '../../protocol/uuid.ts'
import type { AgentArgument } from './arguments.ts'
import { ArgumentError } from './arguments.ts'
import { type Chain, onChain, rpcTimeout } from './chain.ts'
import { CliError } from './cliError.ts'
import { printable } from './printable.ts'
import { readRegistry } from './registryReader.ts'
import { getAgent, getAgents } from './relayer.ts'

/** What an agent is called: its SPIFFE ID, or its UUID where it has none. */
export const nameOf = ({ uuid, spiffeId }: { readonly uuid: string; readonly spiffeId: string | null }) =>
  spiffeId ?? `${uuid} (not complete)`

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

type Covered = Pick<Preview, 'running' | 'alreadyKilled' | 'source'>

async function agentOnChain({ client, rpc, deployment }: Chain, agent: AgentArgument): Promise<Covered> {
  const [killed] = await onChain(rpc, rpcTimeout, () =>
    client.readContract({
      address: deployment.contract,
      abi: killSwitchAbi,
      functionName: 'statusOf',
      args: [agentIdFromUuid(agent.name)],
    }),
  )
  const [running, alreadyKilled] = killed ? [[], [agent.spiffeId]] : [[agent.spiffeId], []]
  return { running, alreadyKilled, source: 'chain' }
}

async function walletOnChain(chain: Chain, wallet: Hex, say: (line: string) => void): Promise<Covered> {
  const [{ registry }, trustDomain] = await Promise.all([readRegistry(chain, say), trustDomainOf(chain)])
  const covered = [...registry.agents.values()].filter((one) => one.owner === wallet)
  const name = (one: AgentIdentity) => nameOf({ uuid: one.uuid, spiffeId: agentSpiffeId(trustDomain, one) })
  const stateOf = stateIn(registry)
  return {
    running: covered.filter((one) => !isKilled(one, stateOf)).map(name),
    alreadyKilled: covered.filter((one) => isKilled(one, stateOf)).map(name),
    source: 'chain',
  }
}

async function coveredAtRelayer(
  relayer: string,
  agent: AgentArgument | null,
  wallet: Hex | null,
): Promise<Covered & { readonly owner: Hex }> {
  const covered = agent === null ? await getAgents(relayer, wallet) : [await getAgent(relayer, agent.name)]
  const isAlive = ({ state }: { state: string }) => state === 'alive'
  return {
    owner: wallet ?? ((covered[0]?.owner.toLowerCase() ?? '0x') as Hex),
    running: covered.filter(isAlive).map(nameOf),
    alreadyKilled: covered.filter((one) => !isAlive(one)).map(nameOf),
    source: 'relayer',
  }
}

/**
 * What the chain says. Of a wallet's agents the list comes from the relayer, where there is one: the chain gives it only
 * by all its logs.
 * @param wallet for scope Owner
 */
export async function previewOnChain(
  chain: Chain,
  relayer: string | undefined,
  agent: AgentArgument | null,
  wallet: Hex,
  signer: Hex,
  say: (line: string) => void,
): Promise<Preview> {
  const { client, rpc, deployment } = chain
  const target = agent === null ? ownerTarget(wallet) : agentTarget(agent.name)
  const list = (): Promise<Covered> => {
    if (agent !== null) return agentOnChain(chain, agent)
    if (relayer === undefined) return walletOnChain(chain, wallet, say)
    return coveredAtRelayer(relayer, null, wallet).catch((error: unknown) => {
      if (!(error instanceof CliError)) throw error
      say(`warning    ${error.message}`)
      return walletOnChain(chain, wallet, say)
    })
  }
  const [{ running, alreadyKilled, source }, rank, block] = await Promise.all([
    list(),
    onChain(rpc, rpcTimeout, () =>
      client.readContract({
        address: deployment.contract,
        abi: killSwitchAbi,
        functionName: 'killRankOf',
        args: [signer, target.scope, target.subject],
      }),
    ),
    onChain(rpc, rpcTimeout, () => client.getBlock()),
  ])
  return {
    target,
    owner: wallet,
    running,
    alreadyKilled,
    source,
    rank: rank as Rank,
    blockTime: Number(block.timestamp),
  }
}

/** For when the chain cannot be read: what the relayer says. */
export async function previewAtRelayer(
  relayer: string,
  agent: AgentArgument | null,
  wallet: Hex | null,
): Promise<Preview> {
  const { owner, running, alreadyKilled, source } = await coveredAtRelayer(relayer, agent, wallet)
  const target = agent === null ? ownerTarget(owner) : agentTarget(agent.name)
  return { target, owner, running, alreadyKilled, source, rank: null, blockTime: null }
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
