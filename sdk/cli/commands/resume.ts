import type { Hex } from 'viem'
import { killSwitchAbi } from '../../../protocol/generated/killSwitchAbi.ts'
import { type Rank, rankName } from '../../../protocol/rank.ts'
import { agentTarget, ownerTarget, subjectLabel } from '../../../protocol/scope.ts'
import { loadAccount } from '../account.ts'
import { agentOrAll } from '../arguments.ts'
import { type Chain, onChain, openChain, rpcTimeout } from '../chain.ts'
import type { Command, Context, Outcome } from '../command.ts'
import { confirm } from '../confirm.ts'
import { durationText, timeText } from '../duration.ts'
import { exitCode } from '../exitCode.ts'
import { optionsOf } from '../optionTable.ts'
import { ownerOnChain } from '../preview.ts'
import { addressOf } from '../settings.ts'
import { sendTransaction } from '../transaction.ts'

const headTime = async ({ client, rpc }: Chain): Promise<number> =>
  Number((await onChain(rpc, rpcTimeout, () => client.getBlock())).timestamp)

async function run(context: Context, args: readonly string[]): Promise<Outcome> {
  const { settings, surroundings, say } = context
  const agent = agentOrAll(settings, args)
  const walletSetting = settings.get('wallet')
  const named = walletSetting === undefined ? null : addressOf(walletSetting)
  const chain = await openChain(settings)
  const owner = agent === null ? null : await ownerOnChain(chain, agent)
  const account = await loadAccount(settings, surroundings, owner ?? named ?? undefined)
  const wallet = named ?? (account.address.toLowerCase() as Hex)
  const target = agent === null ? ownerTarget(wallet) : agentTarget(agent.name)
  const what = agent?.spiffeId ?? `wallet ${wallet}`
  const json = { scope: agent === null ? 'Owner' : 'Agent', subject: subjectLabel(target) }
  const read = { address: chain.deployment.contract, abi: killSwitchAbi } as const

  if (settings.has('request')) {
    say(`Will ask for the resume of ${what}, as ${account.address} on chain ${chain.deployment.chainId}`)
    await confirm(context, 'Ask for it?')
    const { events, receipt } = await sendTransaction(context, chain, account, 'requestResume', [
      target.scope,
      target.subject,
    ])
    const event = events.find((one) => one.type === 'ResumeRequested')
    const readyAt = event?.type === 'ResumeRequested' ? event.readyAt : 0
    const left = readyAt - (await headTime(chain))
    say(
      left <= 0
        ? 'Requested; there is no cool-down. The same command without --request resumes it.'
        : `Requested. Cool-down: ${durationText(left)}, until ${timeText(readyAt)}. After it, the same command without --request resumes it, unless it is killed again.`,
    )
    return {
      exitCode: exitCode.done,
      json: { ...json, requested: true, readyAt, txHash: receipt.transactionHash },
    }
  }

  const request = await onChain(chain.rpc, rpcTimeout, () =>
    chain.client.readContract({
      ...read,
      functionName: 'resumeRequestOf',
      args: [target.scope, target.subject],
    }),
  )
  if (request.requestTime > 0) {
    const readyAt = request.requestTime + request.cooldown
    const left = readyAt - (await headTime(chain))
    if (left > 0) say(`Cool-down  ${durationText(left)} left, until ${timeText(readyAt)}`)
  }
  say(`Will resume ${what}, as ${account.address} on chain ${chain.deployment.chainId}`)
  await confirm(context, 'Resume it?')
  const { events, receipt } = await sendTransaction(context, chain, account, 'resume', [
    target.scope,
    target.subject,
  ])
  if (events.some(({ type }) => type === 'RankLowered')) {
    say(
      'Lifted what stood above its owner’s kill. It stays killed, at rank Owner, until its owner resumes it.',
    )
    return {
      exitCode: exitCode.done,
      json: { ...json, resumed: false, killed: true, txHash: receipt.transactionHash },
    }
  }
  let killed: boolean | null = null
  if (agent !== null) {
    const [still, , rank] = await onChain(chain.rpc, rpcTimeout, () =>
      chain.client.readContract({ ...read, functionName: 'statusOf', args: [BigInt(target.subject)] }),
    )
    killed = still
    if (still)
      say(
        `Resumed, but another kill of rank ${rankName(rank as Rank)} still covers it; see: killswitch status`,
      )
  }
  if (killed !== true)
    say('Resumed. It works again once its relayer has seen this at the grant point of the chain.')
  return {
    exitCode: exitCode.done,
    json: { ...json, resumed: true, killed, txHash: receipt.transactionHash },
  }
}

export const resumeCommand: Command = {
  name: 'resume',
  usage: 'resume <spiffe id> | resume --all [--wallet <address>]   [--request]',
  summary: 'let an agent, or all of a wallet, work again (on chain only)',
  details: `Two steps: with --request first, then without it once the cool-down is over. Any kill in between voids the
request. It needs the highest rank and the longest cool-down of the kills that it lifts.`,
  options: optionsOf(['all', 'wallet', 'request', 'yes'], { chain: true, key: true }),
  run,
}
