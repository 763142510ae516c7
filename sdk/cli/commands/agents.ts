import { statusOf } from '../../../protocol/liveness.ts'
import { reasonName } from '../../../protocol/reason.ts'
import { stateIn } from '../../../protocol/registry.ts'
import { scopeName } from '../../../protocol/scope.ts'
import { formatSpiffeId } from '../../../protocol/spiffeId.ts'
import { noMore } from '../arguments.ts'
import { openChain } from '../chain.ts'
import { CliError } from '../cliError.ts'
import type { Command, Context, Outcome } from '../command.ts'
import { durationText } from '../duration.ts'
import { exitCode } from '../exitCode.ts'
import { optionsOf } from '../optionTable.ts'
import { trustDomainOf } from '../preview.ts'
import { printable } from '../printable.ts'
import { readRegistry } from '../registryReader.ts'
import { type AgentView, getAgents } from '../relayer.ts'
import { addressOf, urlOf } from '../settings.ts'

async function relayerViews({ settings, say }: Context): Promise<ReadonlyMap<string, AgentView>> {
  const setting = settings.get('relayer')
  if (setting === undefined) return new Map()
  try {
    return new Map((await getAgents(urlOf(setting))).map((view) => [view.uuid, view]))
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode === exitCode.usage) throw error
    say(`warning    ${error.message}`)
    return new Map()
  }
}

async function run(context: Context, args: readonly string[]): Promise<Outcome> {
  noMore(args, 0)
  const { settings, surroundings, say } = context
  const walletSetting = settings.get('wallet')
  const wallet = walletSetting === undefined ? null : addressOf(walletSetting)
  const chain = await openChain(settings)
  const [{ registry }, trustDomain, views] = await Promise.all([
    readRegistry(chain),
    trustDomainOf(chain),
    relayerViews(context),
  ])
  const stateOf = stateIn(registry)
  const agents = [...registry.agents.values()]
    .filter((agent) => wallet === null || agent.owner === wallet)
    .map((agent) => {
      const status = statusOf(agent, stateOf)
      const view = views.get(agent.uuid)
      const left = view?.svid == null ? null : (view.svid.expiresAt - surroundings.now()) / 1000
      const spiffeId = formatSpiffeId({ trustDomain, type: agent.agentType, name: agent.uuid })
      const words = [
        status.killed ? `killed (${scopeName(status.scope)}: ${reasonName(status.reason)})` : 'active',
        ...(view === undefined ? [] : [`relayer: ${printable(view.state)}`]),
        ...(left === null ? [] : [left > 0 ? `SVID for ${durationText(left)}` : 'SVID expired']),
        ...(view?.requestsPerSecond == null ? [] : [`${view.requestsPerSecond} requests/s`]),
      ]
      return { agent, spiffeId, killed: status.killed, words, view: view ?? null }
    })
  const owners = new Set(agents.map(({ agent }) => agent.owner))
  for (const owner of owners) {
    say(owner)
    for (const one of agents.filter(({ agent }) => agent.owner === owner))
      say(`  ${printable(one.spiffeId)}  ${one.words.join(', ')}`)
  }
  if (agents.length === 0) say('No agents.')
  return {
    exitCode: exitCode.done,
    json: {
      agents: agents.map(({ agent, spiffeId, killed, view }) => ({
        uuid: agent.uuid,
        spiffeId,
        owner: agent.owner,
        agentType: agent.agentType,
        killed,
        relayer: view,
      })),
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
