import process from 'node:process'
import { ponder } from 'ponder:registry'
import { kill } from 'ponder:schema'

ponder.on('KillSwitch:Killed', async ({ event, context }) => {
  const { scope, subject, authority, rank, reason, sequence } = event.args
  await context.db.insert(kill).values({
    id: event.id,
    scope,
    subject,
    authority,
    rank,
    reason,
    sequence: BigInt(sequence),
    block: event.block.number,
    txHash: event.transaction.hash,
    handledAt: Number(process.hrtime.bigint()) / 1e6,
  })
})
