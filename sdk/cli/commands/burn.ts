import path from 'node:path'
import { loadAccount } from '../account.ts'
import { ArgumentError, noMore } from '../arguments.ts'
import { openChain } from '../chain.ts'
import type { Command, Context, Outcome } from '../command.ts'
import { confirm } from '../confirm.ts'
import { timeText } from '../duration.ts'
import { exitCode } from '../exitCode.ts'
import { optionsOf } from '../optionTable.ts'
import { readOrderFile, type SignedOrder } from '../orderFile.ts'
import { describeOrder, requireDeployment } from '../orderText.ts'
import { sendTransaction } from '../transaction.ts'

async function run(context: Context, args: readonly string[]): Promise<Outcome> {
  noMore(args, 1)
  const [file] = args
  if (file === undefined) throw new ArgumentError('name the file of the order')
  const { settings, surroundings, say } = context
  const signed: SignedOrder = readOrderFile(path.resolve(surroundings.cwd, file))
  const chain = await openChain(settings)
  requireDeployment(signed, chain.deployment, file)
  const account = await loadAccount(settings, surroundings)
  for (const line of describeOrder(signed)) say(line)
  say(`Will burn it as ${account.address}; until its cool-down is over it can still land`)
  await confirm(context, 'Burn it?')
  const { events, receipt } = await sendTransaction(context, chain, account, 'burnOrder', [signed.order])
  const event = events.find((one) => one.type === 'OrderBurned')
  const effectiveAt = event?.type === 'OrderBurned' ? event.effectiveAt : 0
  say(`Burnt; the order cannot land from ${timeText(effectiveAt)} on.`)
  return {
    exitCode: exitCode.done,
    json: { nonce: signed.order.nonce.toString(), effectiveAt, txHash: receipt.transactionHash },
  }
}

export const burnCommand: Command = {
  name: 'burn',
  usage: 'burn <order file>',
  summary: 'undo a signed order that has not landed on the chain',
  options: optionsOf(['yes'], { chain: true, key: true }),
  run,
}
