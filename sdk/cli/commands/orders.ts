import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Hex } from 'viem'
import { agentTarget, ownerTarget, Scope, subjectLabel } from '../../../protocol/scope.ts'
import { loadAccount } from '../account.ts'
import { ArgumentError, agentOrAll, noMore, reasonOf, textOf, waitOf } from '../arguments.ts'
import { namedDeployment } from '../chain.ts'
import type { Command, Context, Outcome } from '../command.ts'
import { confirm } from '../confirm.ts'
import { exitCode } from '../exitCode.ts'
import { OptionError } from '../options.ts'
import { optionsOf } from '../optionTable.ts'
import { orderFileText, readOrderFile } from '../orderFile.ts'
import { describeOrder } from '../orderText.ts'
import { conclude, followKill, killById } from '../progress.ts'
import { postOrder } from '../relayer.ts'
import { addressOf, integerOf, urlOf } from '../settings.ts'
import { createOrder, signOrder } from '../signOrder.ts'

async function sign(context: Context, args: readonly string[]): Promise<Outcome> {
  const { settings, surroundings, say } = context
  const agent = agentOrAll(settings, args)
  const deployment = namedDeployment(settings)
  if (deployment === undefined) {
    const missing = settings.has('chain-id') ? '--contract' : '--chain-id'
    throw new OptionError(missing, 'is needed: an order names chain and contract, and nothing is asked here')
  }
  const walletSetting = settings.get('wallet')
  const named = walletSetting === undefined ? undefined : addressOf(walletSetting)
  const life = settings.get('valid-for')
  const account = await loadAccount(settings, surroundings, named)
  const target =
    agent === null ? ownerTarget(named ?? (account.address.toLowerCase() as Hex)) : agentTarget(agent.name)
  const now = surroundings.now() / 1000
  const order = createOrder(
    account,
    target,
    reasonOf(settings),
    textOf(settings),
    now,
    undefined,
    life === undefined ? undefined : BigInt(integerOf(life, 1, 86_400)),
  )
  const signed = {
    deployment,
    spiffeId: agent?.spiffeId ?? null,
    order,
    signature: await signOrder(account, deployment, order, now),
  }
  const text = orderFileText(signed)
  const out = settings.get('out')
  if (out === undefined) {
    if (!settings.has('json')) surroundings.out(text)
    return { exitCode: exitCode.done, json: JSON.parse(text) as Record<string, unknown> }
  }
  const file = path.resolve(surroundings.cwd, out.value)
  try {
    // Whoever reads it can kill with it.
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new OptionError(
      out.source,
      `names ${file}, which cannot be written: ${code === 'EEXIST' ? 'it exists' : code}`,
      error,
    )
  }
  for (const line of describeOrder(signed)) say(line)
  say(`Signed into ${file}. Whoever has it can send it: killswitch orders send ${out.value}`)
  return { exitCode: exitCode.done, json: { ...(JSON.parse(text) as Record<string, unknown>), file } }
}

async function send(context: Context, args: readonly string[]): Promise<Outcome> {
  noMore(args, 1)
  const [name] = args
  if (name === undefined) throw new ArgumentError('name the file of the order')
  const { settings, surroundings, say } = context
  const signed = readOrderFile(path.resolve(surroundings.cwd, name))
  const setting = settings.get('relayer')
  if (setting === undefined) throw new OptionError('--relayer', 'is needed: somebody must take the order')
  const relayer = urlOf(setting)
  const { order, signature, spiffeId } = signed
  if (order.scope === Scope.Agent && spiffeId === null)
    throw new OptionError(`spiffeId in ${name}`, 'is missing; relayers ask for it')
  if (order.scope !== Scope.Agent && order.scope !== Scope.Owner)
    throw new OptionError(`scope in ${name}`, 'is neither Agent nor Owner; relayers take no other orders')
  for (const line of describeOrder(signed)) say(line)
  await confirm(context, `Send it to ${relayer}?`)
  const wait = waitOf(settings)
  const accepted = await postOrder(
    relayer,
    signed.deployment,
    order,
    signature,
    spiffeId === null ? { wallet: subjectLabel(order) as Hex } : { spiffeId },
  )
  say(`enforced   kill ${accepted.killId}`)
  const progress = await followKill(context, killById(relayer, accepted.killId), wait)
  return {
    exitCode: conclude(progress, wait, say),
    json: { killId: accepted.killId, confirmed: progress.confirmed, kill: progress.kill },
  }
}

export const orderCommands: readonly Command[] = [
  {
    name: 'orders sign',
    usage: 'orders sign <spiffe id> | orders sign --all [--wallet <address>]',
    summary: 'sign a kill without any network, to be sent by whoever has the file',
    details: 'Needs --chain-id and --contract. Prints the order, or writes it to --out (mode 0600).',
    options: optionsOf(['all', 'wallet', 'reason', 'text', 'valid-for', 'out', 'contract', 'chain-id'], {
      key: true,
    }),
    run: sign,
  },
  {
    name: 'orders send',
    usage: 'orders send <order file>',
    summary: 'hand a signed order to a relayer; needs no key',
    options: optionsOf(['wait', 'yes'], { relayer: true }),
    run: send,
  },
]
