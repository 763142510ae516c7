import { isKilled, statusOf } from '../../../protocol/liveness.ts'
import { rankName } from '../../../protocol/rank.ts'
import { reasonName } from '../../../protocol/reason.ts'
import { stateIn } from '../../../protocol/registry.ts'
import { fleetTarget, scopeName } from '../../../protocol/scope.ts'
import { agentArgument, noMore } from '../arguments.ts'
import { type Chain, openChain } from '../chain.ts'
import { CliError } from '../cliError.ts'
import type { Command, Context, Outcome } from '../command.ts'
import { durationText, timeText } from '../duration.ts'
import { exitCode } from '../exitCode.ts'
import { optionsOf } from '../optionTable.ts'
import { ownerOnChain } from '../preview.ts'
import { printable } from '../printable.ts'
import { readRegistry } from '../registryReader.ts'
import { callRelayer, getAgent } from '../relayer.ts'
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

async function agentStatus(context: Context, chain: Chain, text: string): Promise<Outcome> {
  const { say } = context
  const agent = agentArgument(text)
  const owner = await ownerOnChain(chain, agent)
  const { registry, block } = await readRegistry(chain)
  const identity = { uuid: agent.name, owner, agentType: agent.type }
  const status = statusOf(identity, stateIn(registry))
  say(`agent      ${agent.spiffeId}`)
  say(`owner      ${owner}`)
  if (status.killed) {
    say(
      `on chain   killed by scope ${scopeName(status.scope)}, rank ${rankName(status.rank)}: ${reasonName(status.reason)}`,
    )
    say(`since      ${timeText(status.since)} (${durationText(block.time - status.since)} ago)`)
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
      killed: status.killed,
      ...(status.killed
        ? {
            scope: scopeName(status.scope),
            rank: rankName(status.rank),
            since: status.since,
            reason: status.reason,
          }
        : {}),
      block: block.number.toString(),
      relayer: view,
    },
  }
}

async function overview(context: Context, chain: Chain): Promise<Outcome> {
  const { say } = context
  const { registry, block } = await readRegistry(chain)
  const stateOf = stateIn(registry)
  const agents = [...registry.agents.values()]
  const killed = agents.filter((agent) => isKilled(agent, stateOf)).length
  const fleet = stateOf(fleetTarget)
  const fleetKilled = fleet.killedAt > fleet.aliveSince
  say(`contract   ${chain.deployment.contract} on chain ${chain.deployment.chainId}, block ${block.number}`)
  say(
    `agents     ${agents.length - killed} active, ${killed} killed, of ${registry.agentsByOwner.size} wallets`,
  )
  if (fleetKilled) say(`fleet      killed since ${timeText(fleet.killTime)}: ${reasonName(fleet.reason)}`)
  const ready = await ask(context, (relayer) => callRelayer(relayer, '/readyz'))
  if (ready !== null) say('relayer    ready')
  return {
    exitCode: exitCode.done,
    json: {
      chainId: chain.deployment.chainId,
      contract: chain.deployment.contract,
      block: block.number.toString(),
      active: agents.length - killed,
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
