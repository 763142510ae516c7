import { type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  accounts,
  killBody,
  startChain,
  startRelayer,
  type TestAgent,
  type TestChain,
  type TestRelayer,
  until,
} from './world.ts'

let chain: TestChain
let relayer: TestRelayer
let agent: TestAgent
const sockets: Socket[] = []

beforeAll(async () => {
  chain = await startChain()
  relayer = await startRelayer(chain, {
    gasAccount: null,
    limits: { requestsPerSecond: 1, connectionsPerAddress: 8, connections: 100, proxies: [] },
  })
  agent = await chain.register(accounts.alice)
  await until('the registration', async () =>
    (await (await fetch(`${relayer.url}/metrics`)).text()).includes('killswitch_agents 1'),
  )
})
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await relayer?.remove()
  await chain?.stop()
})

/** A request from a loopback address of its own, which stands for another host. */
const ask = (from: string, method: string, path: string, body?: unknown) =>
  new Promise<{ status: number; type: string }>((resolve, reject) => {
    const outgoing = request(
      new URL(path, relayer.url),
      { method, localAddress: from, agent: false, headers: { 'content-type': 'application/json' } },
      (response: IncomingMessage) => {
        let text = ''
        response.on('data', (chunk) => {
          text += String(chunk)
        })
        response.on('end', () => {
          const problem = text.startsWith('{') ? (JSON.parse(text) as { type?: string }) : {}
          resolve({ status: response.statusCode as number, type: problem.type?.split('/').at(-1) ?? '' })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })

const open = (from: string) =>
  new Promise<Socket>((resolve, reject) => {
    const { hostname, port } = new URL(relayer.url)
    const socket = connect({ host: hostname, port: Number(port), localAddress: from })
    sockets.push(socket)
    socket.on('connect', () => resolve(socket))
    socket.on('error', reject)
  })
const closed = (socket: Socket) =>
  new Promise<void>((resolve) => {
    if (socket.destroyed) resolve()
    socket.on('close', () => resolve())
    socket.resume()
  })

test('who asks too often is told to slow down; his kill is taken all the same, and others are served', async () => {
  const answers: number[] = []
  for (let i = 0; i < 15; i += 1) answers.push((await ask('127.0.0.2', 'GET', '/agents')).status)
  expect(answers.filter((status) => status === 200).length).toBeGreaterThanOrEqual(10)
  expect(answers.at(-1)).toBe(429)
  expect(await ask('127.0.0.2', 'GET', '/agents')).toMatchObject({ status: 429, type: 'too-many-requests' })
  expect(await ask('127.0.0.3', 'GET', '/agents')).toMatchObject({ status: 200 })
  const body = await killBody(chain.deployment, accounts.alice, agent)
  expect(await ask('127.0.0.2', 'POST', '/api/kill', body)).toMatchObject({ status: 202 })
})

test('one address holds so many connections; others still get in', async () => {
  const held = await Promise.all(Array.from({ length: 20 }, () => open('127.0.0.4')))
  await Promise.race(held.map(closed))
  expect(await ask('127.0.0.5', 'GET', '/bundle')).toMatchObject({ status: 200 })
  await expect(ask('127.0.0.4', 'GET', '/bundle')).rejects.toThrow(/hang up|reset/i)
})

test('a bomb of headers is refused', async () => {
  const socket = await open('127.0.0.6')
  let text = ''
  socket.on('data', (chunk) => {
    text += String(chunk)
  })
  socket.on('error', () => undefined)
  socket.write(`GET /revocations HTTP/1.1\r\nHost: x\r\nX-Bomb: ${'a'.repeat(40_000)}\r\n\r\n`)
  await closed(socket)
  expect(text).toMatch(/^HTTP\/1.1 431 /)
})
