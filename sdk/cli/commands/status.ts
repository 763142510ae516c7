import { killSwitchAbi } from '../../../protocol/generated/killSwitchAbi.ts'
import { isKilled } from '../../../protocol/liveness.ts'
import { type Rank, rankName } from '../../../protocol/rank.ts'
import { reasonName } from '../../../protocol/reason.ts'
import { stateIn } from '../../../protocol/registry.ts'
import { fleetTarget, type Scope, scopeName } from '../../../protocol/scope.ts'
import { agentIdFromUuid } from '../../../protocol/uuid.ts'
import { agentArgument, noMore } from '../arguments.ts'
import { type Chain, onChain, openChain, rpcTimeout } from '../chain.ts'
import { CliError } from '../cliError.ts'
import type { Command, Context, Outcome } from '../command.ts'
import { durationText, timeText } from '../duration.ts'
import { exitCode } from '../exitCode.ts'
import { optionsOf } from '../optionTable.ts'
import { ownerOnChain } from '../preview.ts'
import { printable } from '../printable.ts'
import { readRegistry } from '../registryReader.ts'
import { callRelayer, getAgent, getAgents } from '../relayer.ts'
import { urlOf } from '../settings.ts'

/** What the relayer adds; that it is silent is news, not a failure of this command. */
async function ask<T>(context: Context, call: (relayer: string) => Promise<T>): Promise<T | null> {
  const setting = context.settings.get('relayer')
  if (setting === undefined) return null
  try {
    return await call(urlOf(setting))
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode === exitCode.usage) throw error
    context.say(`warning    ${error.message}`)
    return null
  }
}

/** Two calls, however long the chain. */
async function agentStatus(context: Context, chain: Chain, text: string): Promise<Outcome> {
  const { say } = context
  const agent = agentArgument(text)
  const { client, rpc, deployment } = chain
  const [owner, block, [killed, scope, rank, since, reason]] = await Promise.all([
    ownerOnChain(chain, agent),
    onChain(rpc, rpcTimeout, () => client.getBlock()),
    onChain(rpc, rpcTimeout, () =>
      client.readContract({
        address: deployment.contract,
        abi: killSwitchAbi,
        functionName: 'statusOf',
        args: [agentIdFromUuid(agent.name)],
      }),
    ),
  ])
  say(`agent      ${agent.spiffeId}`)
  say(`owner      ${owner}`)
  if (killed) {
    say(
      `on chain   killed by scope ${scopeName(scope as Scope)}, rank ${rankName(rank as Rank)}: ${reasonName(reason)}`,
    )
    say(`since      ${timeText(since)} (${durationText(Number(block.timestamp) - since)} ago)`)
  } else say(`on chain   active (block ${block.number})`)
  const view = await ask(context, (relayer) => getAgent(relayer, agent.name))
  if (view !== null) {
    say(`relayer    ${printable(view.state)}`)
    if (view.svid !== null) {
      const left = view.svid.expiresAt - context.surroundings.now()
      say(`SVID       ${left > 0 ? `expires in ${durationText(left / 1000)}` : 'expired'}`)
    }
    if (view.requestsPerSecond != null) say(`rate       ${view.requestsPerSecond} requests/s`)
  }
  return {
    exitCode: exitCode.done,
    json: {
      spiffeId: agent.spiffeId,
      owner,
      killed,
      ...(killed ? { scope: scopeName(scope as Scope), rank: rankName(rank as Rank), since, reason } : {}),
      block: block.number.toString(),
      relayer: view,
    },
  }
}

type Census = {
  readonly source: 'relayer' | 'chain'
  readonly wallets: number
  readonly active: number
  readonly killed: number
}

async function takeCensus(context: Context, chain: Chain): Promise<Census> {
  const views = await ask(context, (relayer) => getAgents(relayer, null))
  if (views !== null) {
    const active = views.filter(({ state }) => state === 'alive').length
    const wallets = new Set(views.map(({ owner }) => owner)).size
    return { source: 'relayer', wallets, active, killed: views.length - active }
  }
  const { registry } = await readRegistry(chain, context.say)
  const stateOf = stateIn(registry)
  const agents = [...registry.agents.values()]
  const killed = agents.filter((agent) => isKilled(agent, stateOf)).length
  return { source: 'chain', wallets: registry.agentsByOwner.size, active: agents.length - killed, killed }
}

async function overview(context: Context, chain: Chain): Promise<Outcome> {
  const { say } = context
  const { client, rpc, deployment } = chain
  const read = { address: deployment.contract, abi: killSwitchAbi } as const
  const [census, block, fleet] = await Promise.all([
    takeCensus(context, chain),
    onChain(rpc, rpcTimeout, () => client.getBlock()),
    onChain(rpc, rpcTimeout, () =>
      client.readContract({
        ...read,
        functionName: 'stateOf',
        args: [fleetTarget.scope, fleetTarget.subject],
      }),
    ),
  ])
  const fleetKilled = fleet.killedAt > fleet.aliveSince
  const { source, wallets, active, killed } = census
  say(`contract   ${deployment.contract} on chain ${deployment.chainId}, block ${block.number}`)
  say(`agents     ${active} active, ${killed} killed, of ${wallets} wallets (according to the ${source})`)
  if (fleetKilled) say(`fleet      killed since ${timeText(fleet.killTime)}: ${reasonName(fleet.reason)}`)
  const ready = await ask(context, (relayer) => callRelayer(relayer, '/readyz'))
  if (ready !== null) say('relayer    ready')
  return {
    exitCode: exitCode.done,
    json: {
      chainId: deployment.chainId,
      contract: deployment.contract,
      block: block.number.toString(),
      source,
      active,
      killed,
      fleetKilled,
      relayer: ready,
    },
  }
}

async function run(context: Context, args: readonly string[]): Promise<Outcome> {
  noMore(args, 1)
  const [text] = args
  // Before any call: a malformed identity needs no network to be refused.
  if (text !== undefined) agentArgument(text)
  const chain = await openChain(context.settings)
  return text === undefined ? overview(context, chain) : agentStatus(context, chain, text)
}

export const statusCommand: Command = {
  name: 'status',
  usage: 'status [<spiffe id>]',
  summary: 'whether an agent is killed, by whom and why; without one, the whole deployment',
  options: optionsOf([], { chain: true, relayer: true }),
  run,
}
