import type { Hex } from 'viem'
import { statusOf } from '../../../protocol/liveness.ts'
import { reasonName } from '../../../protocol/reason.ts'
import { stateIn } from '../../../protocol/registry.ts'
import { scopeName } from '../../../protocol/scope.ts'
import { agentSpiffeId } from '../../../protocol/spiffeId.ts'
import { noMore } from '../arguments.ts'
import { openChain } from '../chain.ts'
import { CliError } from '../cliError.ts'
import type { Command, Context, Outcome } from '../command.ts'
import { durationText } from '../duration.ts'
import { exitCode } from '../exitCode.ts'
import { optionsOf } from '../optionTable.ts'
import { nameOf, trustDomainOf } from '../preview.ts'
import { printable } from '../printable.ts'
import { readRegistry } from '../registryReader.ts'
import { type AgentView, getAgents } from '../relayer.ts'
import { addressOf, urlOf } from '../settings.ts'

type Listed = {
  readonly uuid: string
  /** Null, like the type, until the agent is complete. */
  readonly spiffeId: string | null
  readonly owner: string
  readonly agentType: string | null
  readonly killed: boolean
  /** What is said of it, beside its name. */
  readonly words: readonly string[]
  readonly view: AgentView | null
}
type Listing = { readonly source: 'relayer' | 'chain'; readonly agents: readonly Listed[] }

async function listAtRelayer(relayer: string, wallet: Hex | null, now: number): Promise<Listing> {
  const views = await getAgents(relayer, wallet)
  return {
    source: 'relayer',
    agents: views.map((view) => {
      const { uuid, spiffeId, owner, agentType, state, kill, svid, requestsPerSecond } = view
      const left = svid === null ? null : (svid.expiresAt - now) / 1000
      const why = kill == null ? '' : ` (${kill.scope}: ${reasonName(kill.reason)})`
      const words = [
        printable(`${state}${why}`),
        ...(left === null ? [] : [left > 0 ? `SVID for ${durationText(left)}` : 'SVID expired']),
        ...(requestsPerSecond == null ? [] : [`${requestsPerSecond} requests/s`]),
      ]
      return { uuid, spiffeId, owner, agentType, killed: state !== 'alive', words, view }
    }),
  }
}

async function listOnChain({ settings, say }: Context, wallet: Hex | null): Promise<Listing> {
  const chain = await openChain(settings)
  const [{ registry }, trustDomain] = await Promise.all([readRegistry(chain, say), trustDomainOf(chain)])
  const stateOf = stateIn(registry)
  const agents = [...registry.agents.values()].filter((agent) => wallet === null || agent.owner === wallet)
  return {
    source: 'chain',
    agents: agents.map((agent) => {
      const { uuid, owner, agentType } = agent
      const status = statusOf(agent, stateOf)
      const spiffeId = agentSpiffeId(trustDomain, agent)
      const word = status.killed
        ? `killed (${scopeName(status.scope)}: ${reasonName(status.reason)})`
        : 'alive'
      return { uuid, spiffeId, owner, agentType, killed: status.killed, words: [word], view: null }
    }),
  }
}

/** From the relayer, which has the list at hand; from the chain where there is none, or where it does not answer. */
async function list(context: Context, wallet: Hex | null): Promise<Listing> {
  const { settings, surroundings, say } = context
  const relayer = settings.get('relayer')
  if (relayer === undefined) return listOnChain(context, wallet)
  try {
    return await listAtRelayer(urlOf(relayer), wallet, surroundings.now())
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode === exitCode.usage || !settings.has('rpc')) throw error
    say(`warning    ${error.message}`)
    return listOnChain(context, wallet)
  }
}

async function run(context: Context, args: readonly string[]): Promise<Outcome> {
  noMore(args, 0)
  const { settings, say } = context
  const walletSetting = settings.get('wallet')
  const { source, agents } = await list(
    context,
    walletSetting === undefined ? null : addressOf(walletSetting),
  )
  for (const owner of new Set(agents.map((agent) => agent.owner))) {
    say(printable(owner))
    for (const one of agents.filter((agent) => agent.owner === owner))
      say(`  ${printable(nameOf(one))}  ${one.words.join(', ')}`)
  }
  say(agents.length === 0 ? `No agents, according to the ${source}.` : `According to the ${source}.`)
  return {
    exitCode: exitCode.done,
    json: {
      source,
      agents: agents.map(({ words: _, view, ...agent }) => ({ ...agent, relayer: view })),
    },
  }
}

export const agentsCommand: Command = {
  name: 'agents',
  usage: 'agents [--wallet <address>]',
  summary: 'list the registered agents with their state',
  options: optionsOf(['wallet'], { chain: true, relayer: true }),
  run,
}
