import { db } from 'ponder:api'
import { kill } from 'ponder:schema'
import { Hono } from 'hono'
import { count, gt } from 'ponder'

const app = new Hono()

app.get('/kills/count', async (context) => {
  const [row] = await db.select({ kills: count() }).from(kill)
  return context.json({ kills: row?.kills ?? 0 })
})

app.get('/kills/after/:block', async (context) => {
  const rows = await db
    .select({ txHash: kill.txHash, handledAt: kill.handledAt })
    .from(kill)
    .where(gt(kill.block, BigInt(context.req.param('block'))))
  return context.json(rows)
})

// biome-ignore lint/style/noDefaultExport: Ponder takes the application so
export default app
