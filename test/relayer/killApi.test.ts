import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import { agentTarget, ownerTarget, Scope } from '../../protocol/scope.ts'
import {
  accounts,
  killBody,
  newAgent,
  orderFor,
  orderJson,
  signOrder,
  startWorld,
  type TestAgent,
  type TestChain,
  type TestRelayer,
  until,
} from './world.ts'

let chain: TestChain
let relayer: TestRelayer
let agent: TestAgent

beforeAll(async () => {
  const world = await startWorld()
  ;({ chain, relayer } = world)
  return world.stop
})
beforeEach(async () => {
  agent = await newAgent(chain, relayer)
})

const post = (path: string, body: unknown) => relayer.post(path, body)
const killCount = async () => (await relayer.get<{ kills: unknown[] }>('/kills?limit=1000')).kills.length
const snapshotRows = async () => (await relayer.snapshot()).rows
const stateOf = async (one: TestAgent) => (await relayer.get<{ state: string }>(`/agents/${one.uuid}`)).state

describe('a signed kill', () => {
  test('is durable and published before the answer, lands, and is final', async () => {
    const response = await post('/api/kill', await killBody(chain.deployment, accounts.alice, agent))
    expect(response.status).toBe(202)
    const answer = (await response.json()) as {
      killId: string
      state: string
      durableAt: number
      publishedAt: number
    }
    expect(answer).toMatchObject({ durableAt: expect.any(Number), publishedAt: expect.any(Number) })
    expect((await snapshotRows()).map((row) => row.subject)).toContain(agentTarget(agent.uuid).subject)

    const kill = await until('finality', async () => {
      const view = await relayer.get<{ state: string; timeline: { txHash: Hex } }>(`/kills/${answer.killId}`)
      return view.state === 'final' && view
    })
    const receipt = await chain.client.getTransactionReceipt({ hash: kill.timeline.txHash })
    expect(receipt.from.toLowerCase()).toBe(accounts.gas.address.toLowerCase())
    const broughtBy = async (hash: string) =>
      (await relayer.get<{ kills: { id: string }[] }>(`/kills?transaction=${hash}`)).kills
    expect(await broughtBy(kill.timeline.txHash)).toMatchObject([{ id: answer.killId }])
    expect(await broughtBy(`0x${'0'.repeat(64)}`)).toEqual([])
    expect(await stateOf(agent)).toBe('killed')
  })

  test('sent again is answered with the same kill and changes nothing', async () => {
    const body = await killBody(chain.deployment, accounts.alice, agent)
    const first = (await (await post('/api/kill', body)).json()) as { killId: string }
    const count = await killCount()
    const again = await post('/api/kill', body)
    expect(again.status).toBe(202)
    expect(((await again.json()) as { killId: string }).killId).toBe(first.killId)
    expect(await killCount()).toBe(count)
  })

  test('of a wallet covers its other agents', async () => {
    const other = await newAgent(chain, relayer, accounts.bob)
    const target = ownerTarget(accounts.bob.address)
    const order = orderFor(accounts.bob, target)
    const response = await post('/api/kill/emergency', {
      wallet: accounts.bob.address,
      reason: 2,
      order: orderJson(order),
      signature: await signOrder(accounts.bob, chain.deployment, order),
    })
    expect(response.status).toBe(202)
    expect(await stateOf(other)).not.toBe('alive')
  })

  test('by transaction takes the same road', async () => {
    await chain.send(accounts.alice, 'kill', [
      Scope.Agent,
      agentTarget(agent.uuid).subject,
      1,
      'by transaction',
    ])
    const kill = await until('the kill', async () => {
      const { kills } = await relayer.get<{
        kills: { label: string; origin: string; text: string; state: string }[]
      }>('/kills')
      return kills.find((one) => one.label === agent.uuid && one.state === 'final')
    })
    expect(kill).toMatchObject({ origin: 'block', text: 'by transaction' })
  })
})

describe('refused, each in its own way, changing nothing', () => {
  type Case = {
    readonly name: string
    readonly status: number
    readonly slug: string
    readonly field?: string
    readonly send: () => Promise<Response>
  }
  const body = (change = {}) => killBody(chain.deployment, accounts.alice, agent, change)
  const past = () => BigInt(Math.floor(Date.now() / 1000))

  const cases: readonly Case[] = [
    {
      name: 'no JSON',
      status: 400,
      slug: 'malformed-request',
      field: 'body',
      send: () => post('/api/kill', '{'),
    },
    {
      name: 'a malformed field',
      status: 400,
      slug: 'malformed-request',
      field: 'order.subject',
      send: async () => {
        const b = await body()
        return post('/api/kill', { ...b, order: { ...b.order, subject: '0x12' } })
      },
    },
    {
      name: 'an unknown field',
      status: 400,
      slug: 'malformed-request',
      send: async () => post('/api/kill', { ...(await body()), wallet: '0x' }),
    },
    {
      name: 'a SPIFFE ID in mixed case',
      status: 400,
      slug: 'malformed-request',
      field: 'spiffeId',
      send: async () =>
        post('/api/kill', { ...(await body()), spiffeId: agent.spiffeId.replace('spiffe', 'SPIFFE') }),
    },
    {
      name: "a reason that is not the order's",
      status: 400,
      slug: 'malformed-request',
      field: 'reason',
      send: async () => post('/api/kill', { ...(await body()), reason: 5 }),
    },
    {
      name: 'a reserved reason',
      status: 400,
      slug: 'malformed-request',
      field: 'order.reason',
      send: async () => post('/api/kill', await body({ reason: 0xff01 })),
    },
    {
      name: 'an order for another agent',
      status: 400,
      slug: 'malformed-request',
      field: 'spiffeId',
      send: async () => {
        const other = await newAgent(chain, relayer)
        return post('/api/kill', { ...(await body()), spiffeId: other.spiffeId })
      },
    },
    {
      name: 'unsigned',
      status: 401,
      slug: 'signature-missing',
      field: 'signature',
      send: async () => {
        const { signature: _, ...rest } = await body()
        return post('/api/kill', rest)
      },
    },
    {
      name: 'wrongly signed',
      status: 422,
      slug: 'bad-signature',
      field: 'signature',
      send: async () => {
        const b = await body()
        return post('/api/kill', {
          ...b,
          signature: (await killBody(chain.deployment, accounts.stranger, agent)).signature,
        })
      },
    },
    {
      name: 'signed over other text',
      status: 422,
      slug: 'bad-signature',
      field: 'signature',
      send: async () => {
        const b = await body()
        return post('/api/kill', { ...b, order: { ...b.order, text: 'altered' } })
      },
    },
    {
      name: 'expired',
      status: 410,
      slug: 'order-expired',
      field: 'order.deadline',
      send: async () => post('/api/kill', await body({ issuedAt: past() - 100n, deadline: past() - 10n })),
    },
    {
      name: 'issued in the future',
      status: 400,
      slug: 'malformed-request',
      field: 'order.issuedAt',
      send: async () => post('/api/kill', await body({ issuedAt: past() + 120n, deadline: past() + 300n })),
    },
    {
      name: 'another life than a day',
      status: 400,
      slug: 'malformed-request',
      field: 'order.deadline',
      send: async () => post('/api/kill', await body({ deadline: past() + 90_000n })),
    },
    {
      name: 'replayed: a used nonce in another order',
      status: 409,
      slug: 'nonce-used',
      field: 'order.nonce',
      send: async () => {
        const spent = await newAgent(chain, relayer)
        const first = await killBody(chain.deployment, accounts.alice, spent)
        const taken = await post('/api/kill', first)
        expect(taken.status).toBe(202)
        const { killId } = (await taken.json()) as { killId: string }
        // Its landing changes the table by itself.
        await until(
          'finality',
          async () => (await relayer.get<{ state: string }>(`/kills/${killId}`)).state === 'final',
        )
        before = await state()
        return post('/api/kill', await body({ nonce: BigInt(first.order.nonce) }))
      },
    },
    {
      name: 'another chain',
      status: 421,
      slug: 'other-deployment',
      field: 'deployment',
      send: async () =>
        post('/api/kill', {
          ...(await killBody({ ...chain.deployment, chainId: 1 }, accounts.alice, agent)),
          deployment: `eip155:1:${chain.contract}`,
        }),
    },
    {
      name: 'another contract, unnamed',
      status: 422,
      slug: 'bad-signature',
      send: async () =>
        post(
          '/api/kill',
          await killBody({ ...chain.deployment, contract: `0x${'12'.repeat(20)}` }, accounts.alice, agent),
        ),
    },
    {
      name: 'an unknown agent',
      status: 404,
      slug: 'unknown-agent',
      field: 'spiffeId',
      send: async () =>
        post('/api/kill', { ...(await body()), spiffeId: agent.spiffeId.slice(0, -12) + '0'.repeat(12) }),
    },
    {
      name: 'an agent by another type',
      status: 404,
      slug: 'unknown-agent',
      field: 'spiffeId',
      send: async () =>
        post('/api/kill', { ...(await body()), spiffeId: agent.spiffeId.replace('/worker/', '/planner/') }),
    },
    {
      name: 'not the owner',
      status: 403,
      slug: 'not-authorized',
      field: 'order.authority',
      send: async () => post('/api/kill', await killBody(chain.deployment, accounts.stranger, agent)),
    },
    {
      name: 'a wallet without agents',
      status: 404,
      slug: 'unknown-wallet',
      field: 'order.subject',
      send: async () => {
        const order = orderFor(accounts.stranger, ownerTarget(accounts.stranger.address))
        return post('/api/kill/emergency', {
          wallet: accounts.stranger.address,
          reason: 2,
          order: orderJson(order),
          signature: await signOrder(accounts.stranger, chain.deployment, order),
        })
      },
    },
    {
      name: 'oversized',
      status: 413,
      slug: 'oversized',
      field: 'body',
      send: async () => post('/api/kill', { ...(await body()), padding: 'x'.repeat(70_000) }),
    },
  ]
  const state = async () => JSON.stringify([await killCount(), await snapshotRows()])
  let before = ''

  for (const { name, status, slug, field, send } of cases) {
    test(name, async () => {
      before = await state()
      const response = await send()
      const problem = (await response.json()) as {
        type: string
        status: number
        title: string
        detail: string
        field?: string
      }
      expect(response.headers.get('content-type')).toContain('application/problem+json')
      expect({ status: response.status, type: problem.type }).toEqual({
        status,
        type: `https://killswitch.ai/problems/${slug}`,
      })
      if (field !== undefined) expect(problem.field).toBe(field)
      expect(problem.detail.length).toBeGreaterThan(10)
      expect(await state()).toBe(before)
    })
  }
})

describe('what is served besides', () => {
  test('an OpenAPI document that names every route, and a page without third parties', async () => {
    const document = await relayer.get<{ openapi: string; paths: object }>('/openapi.json')
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        '/api/kill',
        '/api/kill/emergency',
        '/agents',
        '/agents/{uuid}',
        '/agents/attest',
        '/enrolments',
        '/bundle',
        '/revocations',
        '/revocations/stream',
        '/kills',
        '/kills/{id}',
        '/healthz',
        '/readyz',
        '/metrics',
      ]),
    )
    const page = await fetch(`${relayer.url}/docs`)
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    const html = await page.text()
    expect(html).not.toMatch(/https?:\/\//)
    for (const [, path] of html.matchAll(/(?:src|href)="([^"]+)"/g))
      expect((await fetch(`${relayer.url}${path}`)).status).toBe(200)
  })

  test('health, readiness and metrics', async () => {
    expect((await fetch(`${relayer.url}/healthz`)).status).toBe(200)
    expect((await fetch(`${relayer.url}/readyz`)).status).toBe(200)
    expect(await (await fetch(`${relayer.url}/metrics`)).text()).toMatch(/^killswitch_head_block [1-9]/m)
  })

  test('an unknown path and an unknown kill as problems', async () => {
    for (const path of ['/nothing', '/kills/none', '/agents/none']) {
      const response = await fetch(`${relayer.url}${path}`)
      expect(response.status).toBe(404)
      expect(response.headers.get('content-type')).toContain('application/problem+json')
    }
  })
})
