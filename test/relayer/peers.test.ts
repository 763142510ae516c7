import { createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  accounts,
  killBody,
  newAgent,
  startChain,
  startRelayer,
  type TestChain,
  type TestRelayer,
  until,
} from './world.ts'

let chain: TestChain
const started: TestRelayer[] = []

beforeAll(async () => {
  chain = await startChain()
})
afterAll(async () => {
  for (const relayer of started) await relayer.remove()
  await chain?.stop()
})

const start = async (change: Parameters<typeof startRelayer>[1]) => {
  const relayer = await startRelayer(chain, change)
  started.push(relayer)
  return relayer
}
const kills = async (relayer: TestRelayer) =>
  (
    await relayer.get<{
      kills: { id: string; label: string; digest: string; state: string; origin: string }[]
    }>('/kills')
  ).kills

/** A port that nobody listens on. */
const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

test('an order given to one relayer is enforced by those that it names, and a dead one among them is caught up', async () => {
  const latePort = await freePort()
  const second = await start({ gasAccount: null })
  const first = await start({ gasAccount: null, peers: [`http://127.0.0.1:${latePort}`, second.url] })
  const agent = await newAgent(chain, [first, second])

  const body = await killBody(chain.deployment, accounts.alice, agent)
  const answer = await first.post('/api/kill', body)
  expect(answer.status).toBe(202)
  const there = await until('the order at the second relayer', async () =>
    (await kills(second)).find((kill) => kill.label === agent.uuid),
  )
  expect(there).toMatchObject({ origin: 'order', digest: (await kills(first))[0]?.digest })

  // One that names the first back: the order does not run in circles.
  const late = await start({
    gasAccount: null,
    peers: [first.url],
    listen: { host: '127.0.0.1', port: latePort },
  })
  await until('the order at the late relayer', async () => (await kills(late)).length === 1)
  for (const relayer of started) expect(await kills(relayer)).toHaveLength(1)
})

test('an order that another relayer forged is refused like any other', async () => {
  const [second, first] = started as [TestRelayer, TestRelayer]
  const agent = await newAgent(chain, [first, second], accounts.bob)
  const forged = await killBody(chain.deployment, accounts.stranger, agent)
  const answer = await second.post('/api/kill', forged)
  expect(answer.status).toBe(403)
  expect((await kills(first)).filter((kill) => kill.label === agent.uuid)).toEqual([])
})
