import type { Hex, PrivateKeyAccount } from 'viem'
import type { Deployment } from '../../../protocol/deployment.ts'
import { agentTarget, ownerTarget, subjectLabel } from '../../../protocol/scope.ts'
import { loadAccount } from '../account.ts'
import { type AgentArgument, agentOrAll, reasonOf, reasonText, textOf, waitOf } from '../arguments.ts'
import { type Chain, namedDeployment, openChain, RpcUnreachableError } from '../chain.ts'
import { CliError } from '../cliError.ts'
import type { Command, Context, Outcome } from '../command.ts'
import { confirm } from '../confirm.ts'
import { millisecondsText } from '../duration.ts'
import { exitCode } from '../exitCode.ts'
import { OptionError } from '../options.ts'
import { optionsOf } from '../optionTable.ts'
import { ownerOnChain, type Preview, previewAtRelayer, previewLines, previewOnChain } from '../preview.ts'
import { conclude, followKill, killById, killByTransaction, type Progress } from '../progress.ts'
import { postOrder } from '../relayer.ts'
import { addressOf, type Settings, urlOf } from '../settings.ts'
import { createOrder, signOrder } from '../signOrder.ts'
import { sendTransaction } from '../transaction.ts'

/** How long a kill by signature waits for an answer of the chain, in ms: it needs none. */
const previewTimeout = 3_000

/** How the kill travels. @throws {OptionError} for one that cannot work */
function wayOf(settings: Settings, relayer: string | undefined): 'transaction' | 'signature' {
  const setting = settings.get('by')
  const way = setting?.value ?? (relayer === undefined ? 'transaction' : 'signature')
  if (way !== 'transaction' && way !== 'signature')
    throw new OptionError(setting?.source ?? '--by', 'must be transaction or signature')
  if (way === 'signature' && relayer === undefined)
    throw new OptionError('--relayer', 'is needed for --by signature: somebody must take the order')
  return way
}

/** The chain, or null when it cannot be asked and need not be. */
async function chainIfReachable(context: Context, way: 'transaction' | 'signature'): Promise<Chain | null> {
  if (way === 'transaction') return openChain(context.settings)
  if (!context.settings.has('rpc')) return null
  try {
    return await openChain(context.settings, previewTimeout)
  } catch (error) {
    if (!(error instanceof RpcUnreachableError) || namedDeployment(context.settings) === undefined)
      throw error
    context.say(`warning    ${error.message}. The order does not need it.`)
    return null
  }
}

/** @throws {CliError} when neither chain nor relayer can say what will stop, and that is not optional */
async function look(
  context: Context,
  chain: Chain | null,
  relayer: string | undefined,
  agent: AgentArgument | null,
  wallet: Hex | null,
  signer: Hex,
): Promise<Preview | null> {
  const warn = (error: unknown) => {
    if (!(error instanceof CliError) || relayer === undefined) throw error
    context.say(`warning    ${error.message}`)
    return null
  }
  const onChain =
    chain === null
      ? null
      : await previewOnChain(chain, relayer, agent, wallet ?? '0x', signer, context.say).catch(
          (error: unknown) => warn(error),
        )
  if (onChain !== null || relayer === undefined) return onChain
  return previewAtRelayer(relayer, agent, wallet).catch((error: unknown) => warn(error))
}

async function bySignature(
  context: Context,
  relayer: string,
  deployment: Deployment,
  account: PrivateKeyAccount,
  agent: AgentArgument | null,
  wallet: Hex,
  preview: Preview | null,
): Promise<{ progress: Progress; json: Record<string, unknown> }> {
  const { settings, surroundings, say } = context
  const target = agent === null ? ownerTarget(wallet) : agentTarget(agent.name)
  const now = surroundings.now() / 1000
  const order = createOrder(
    account,
    target,
    reasonOf(settings),
    textOf(settings),
    now,
    preview?.blockTime ?? undefined,
  )
  const signature = await signOrder(account, deployment, order, now)
  const accepted = await postOrder(
    relayer,
    deployment,
    order,
    signature,
    agent === null ? { wallet } : { spiffeId: agent.spiffeId },
  )
  const published =
    accepted.publishedAt === null
      ? ''
      : `, published after ${millisecondsText(accepted.publishedAt - accepted.seenAt)}`
  say(`enforced   kill ${accepted.killId}${published}`)
  const progress = await followKill(context, killById(relayer, accepted.killId), waitOf(settings))
  return { progress, json: { killId: accepted.killId, nonce: order.nonce.toString() } }
}

async function byTransaction(
  context: Context,
  chain: Chain,
  relayer: string | undefined,
  account: PrivateKeyAccount,
  agent: AgentArgument | null,
  wallet: Hex,
): Promise<{ progress: Progress | null; json: Record<string, unknown> }> {
  const { settings } = context
  const [reason, text] = [reasonOf(settings), textOf(settings)]
  const { scope, subject } = agent === null ? ownerTarget(wallet) : agentTarget(agent.name)
  const { receipt } =
    agent === null
      ? await sendTransaction(context, chain, account, 'emergencyKill', [wallet, reason, text])
      : await sendTransaction(context, chain, account, 'kill', [scope, subject, reason, text])
  const txHash = receipt.transactionHash
  const progress =
    relayer === undefined
      ? null
      : await followKill(context, killByTransaction(relayer, txHash), waitOf(settings))
  return {
    progress,
    json: {
      txHash,
      block: receipt.blockNumber.toString(),
      gasUsed: receipt.gasUsed.toString(),
      ...(progress?.kill == null ? {} : { killId: progress.kill.id }),
    },
  }
}

async function run(context: Context, args: readonly string[]): Promise<Outcome> {
  const { settings, surroundings, say } = context
  const agent = agentOrAll(settings, args)
  const relayerSetting = settings.get('relayer')
  const relayer = relayerSetting === undefined ? undefined : urlOf(relayerSetting)
  const way = wayOf(settings, relayer)
  const [reason, text, wait] = [reasonOf(settings), textOf(settings), waitOf(settings)]
  const walletSetting = settings.get('wallet')
  const named = walletSetting === undefined ? null : addressOf(walletSetting)

  const chain = await chainIfReachable(context, way)
  const deployment = chain?.deployment ?? namedDeployment(settings)
  if (deployment === undefined) {
    const missing = settings.has('contract') ? '--chain-id' : '--contract'
    throw new OptionError(missing, 'or --rpc is needed: an order names chain and contract')
  }
  const agentOwner = chain === null || agent === null ? null : await ownerOnChain(chain, agent)
  const account = await loadAccount(settings, surroundings, agentOwner ?? named ?? undefined)
  const signer = account.address.toLowerCase() as Hex
  const wallet = named ?? (agent === null ? signer : agentOwner)

  const preview = await look(context, chain, relayer, agent, wallet, signer)
  if (preview === null) {
    say(
      `Will stop  ${agent?.spiffeId ?? `every agent of wallet ${wallet}, present and future`} (neither chain nor relayer could list more)`,
    )
  } else for (const line of previewLines(preview, agent === null)) say(line)
  say(
    way === 'signature'
      ? `By         a signed order of ${signer} (no gas), through ${relayer}`
      : `By         a transaction of ${signer} to ${deployment.contract} on chain ${deployment.chainId}`,
  )
  say(`Reason     ${reasonText(reason, text)}`)
  await confirm(context, agent === null ? 'Stop them all?' : 'Stop it?')

  const { progress, json } =
    way === 'signature'
      ? await bySignature(
          context,
          relayer as string,
          deployment,
          account,
          agent,
          (wallet ?? '0x') as Hex,
          preview,
        )
      : await byTransaction(context, chain as Chain, relayer, account, agent, (wallet ?? '0x') as Hex)
  let end: Outcome['exitCode'] = exitCode.done
  if (progress === null) say('Killed on chain. Without --relayer nobody tells how far it is enforced.')
  else end = conclude(progress, wait, say)
  const target = agent === null ? ownerTarget(wallet as Hex) : agentTarget(agent.name)
  return {
    exitCode: end,
    json: {
      by: way,
      signer,
      scope: agent === null ? 'Owner' : 'Agent',
      subject: subjectLabel(target),
      agents: preview?.running ?? (agent === null ? null : [agent.spiffeId]),
      reason,
      text,
      ...json,
      confirmed: progress?.confirmed ?? false,
      kill: progress?.kill ?? null,
    },
  }
}

export const killCommand: Command = {
  name: 'kill',
  usage: 'kill <spiffe id> | kill --all [--wallet <address>]',
  summary: 'stop one agent, or all of a wallet',
  details: `Says what will stop, asks on a terminal unless --yes, and watches the kill until every enforcement point has
confirmed it. By signature it costs no gas and needs no RPC once --contract and --chain-id are known.`,
  options: optionsOf(['all', 'wallet', 'by', 'reason', 'text', 'wait', 'yes'], {
    chain: true,
    relayer: true,
    key: true,
  }),
  run,
}
