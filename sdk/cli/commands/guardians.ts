import type { Hex } from 'viem'
import { loadAccount } from '../account.ts'
import { ArgumentError, noMore } from '../arguments.ts'
import { openChain } from '../chain.ts'
import type { Command, Context, Outcome } from '../command.ts'
import { confirm } from '../confirm.ts'
import { durationText, timeText } from '../duration.ts'
import { exitCode } from '../exitCode.ts'
import { optionsOf } from '../optionTable.ts'
import { readRegistry } from '../registryReader.ts'
import { addressOf } from '../settings.ts'
import { sendTransaction } from '../transaction.ts'

function guardianArgument(args: readonly string[]): Hex {
  noMore(args, 1)
  const [value] = args
  if (value === undefined) throw new ArgumentError('name the address of the guardian')
  return addressOf({ value, source: 'the argument' })
}

async function add(context: Context, args: readonly string[]): Promise<Outcome> {
  const guardian = guardianArgument(args)
  const chain = await openChain(context.settings)
  const account = await loadAccount(context.settings, context.surroundings)
  context.say(`Will let ${guardian} kill every agent of ${account.address}; it can resume none`)
  await confirm(context, 'Appoint it?')
  const { receipt } = await sendTransaction(context, chain, account, 'appointGuardian', [guardian])
  context.say('Appointed.')
  return {
    exitCode: exitCode.done,
    json: { owner: account.address.toLowerCase(), guardian, txHash: receipt.transactionHash },
  }
}

async function remove(context: Context, args: readonly string[]): Promise<Outcome> {
  const guardian = guardianArgument(args)
  const chain = await openChain(context.settings)
  const account = await loadAccount(context.settings, context.surroundings)
  context.say(
    `Will withdraw the kill of ${guardian} over the agents of ${account.address}, after one cool-down`,
  )
  await confirm(context, 'Dismiss it?')
  const { receipt, events } = await sendTransaction(context, chain, account, 'dismissGuardian', [guardian])
  const event = events.find((one) => one.type === 'GuardianDismissed')
  const until = event?.type === 'GuardianDismissed' ? event.until : 0
  context.say(`Dismissed; it can still kill until ${timeText(until)}.`)
  return {
    exitCode: exitCode.done,
    json: { owner: account.address.toLowerCase(), guardian, until, txHash: receipt.transactionHash },
  }
}

async function list(context: Context, args: readonly string[]): Promise<Outcome> {
  noMore(args, 0)
  const { settings, surroundings, say } = context
  const setting = settings.get('wallet')
  const owner =
    setting === undefined
      ? ((await loadAccount(settings, surroundings)).address.toLowerCase() as Hex)
      : addressOf(setting)
  const { registry, block } = await readRegistry(await openChain(settings), say)
  const guardians = [...registry.guardians].flatMap(([key, until]) => {
    const [of, guardian] = key.split(':')
    return of === owner && until > block.time ? [{ guardian: guardian as string, until }] : []
  })
  for (const { guardian, until } of guardians)
    say(
      until === Number.POSITIVE_INFINITY
        ? guardian
        : `${guardian}  dismissed, can kill for ${durationText(until - block.time)} more`,
    )
  if (guardians.length === 0) say(`${owner} has no guardians.`)
  return {
    exitCode: exitCode.done,
    json: {
      owner,
      guardians: guardians.map(({ guardian, until }) => ({
        guardian,
        until: until === Number.POSITIVE_INFINITY ? null : until,
      })),
    },
  }
}

export const guardianCommands: readonly Command[] = [
  {
    name: 'guardians add',
    usage: 'guardians add <address>',
    summary: 'appoint a key that can kill the agents of your wallet, and nothing else',
    options: optionsOf(['yes'], { chain: true, key: true }),
    run: add,
  },
  {
    name: 'guardians remove',
    usage: 'guardians remove <address>',
    summary: 'dismiss a guardian; it keeps its kill for one cool-down',
    options: optionsOf(['yes'], { chain: true, key: true }),
    run: remove,
  },
  {
    name: 'guardians list',
    usage: 'guardians list [--wallet <address>]',
    summary: 'the guardians of a wallet',
    options: optionsOf(['wallet'], { chain: true, key: true }),
    run: list,
  },
]
