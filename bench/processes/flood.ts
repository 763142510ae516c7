// One kind of abuse of a relayer, as much of it as one process can make.
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import process from 'node:process'
import { createPublicClient, createWalletClient, defineChain, type Hex, http, toHex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { Reason } from '../../protocol/reason.ts'
import { agentTarget, ownerTarget } from '../../protocol/scope.ts'
import { onParent, tellParent } from '../../scripts/lib/parent.ts'
import { orderMessage } from '../../sdk/cli/orderFile.ts'
import { createOrder, signOrder } from '../../sdk/cli/signOrder.ts'
import type { FloodKind, FloodMessage, FloodSetup } from '../lib/floodMessages.ts'
import { loopbackAddress } from '../lib/loopback.ts'

/** Connections that send whole requests, one after the other. */
const busy = 64
const slow = 2_000
const idle = 3_000
/** Signed beforehand and sent over and over. */
const variants = 100
const hugeBody = 8 * 1024 * 1024
const nearLimit = 65_000
/** ms until a connection that was refused or cut is made again */
const pause = 100

let sent = 0
const answers: Record<string, number> = {}
const note = (what: string): void => {
  answers[what] = (answers[what] ?? 0) + 1
}

let strangers = 0

/** From another address each time: a limit for each address alone must not be what holds a flood back. */
const open = ({ url }: FloodSetup): Socket => {
  const { hostname, port } = new URL(url)
  strangers += 1
  const localAddress = loopbackAddress('flood', strangers)
  const socket = connect({
    host: hostname,
    port: Number(port),
    ...(localAddress === undefined ? {} : { localAddress }),
  })
  socket.setNoDelay(true)
  socket.on('error', () => {})
  return socket
}

const httpPost = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: relayer\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** Sends requests one after the other over one connection, for ever. */
function sendOver(setup: FloodSetup, next: () => string | Buffer): void {
  const socket = open(setup)
  const send = (): void => {
    sent += 1
    socket.write(next())
  }
  socket.once('connect', send)
  socket.on('data', (chunk: Buffer) => {
    // Heads come whole; what does not begin with one is the rest of a body.
    const status = /^HTTP\/1\.1 (\d{3})/.exec(chunk.subarray(0, 16).toString('latin1'))?.[1]
    if (status === undefined) return
    note(status)
    send()
  })
  socket.once('close', () => {
    note('cut')
    setTimeout(() => sendOver(setup, next), pause)
  })
}

function sendAll(setup: FloodSetup, bodies: readonly string[], connections = busy): void {
  let turn = 0
  for (let index = 0; index < connections; index += 1)
    sendOver(setup, () => bodies[turn++ % bodies.length] as string)
}

async function freeWallets(setup: FloodSetup): Promise<void> {
  const bodies: string[] = []
  for (let index = 0; index < variants; index += 1) {
    const account = privateKeyToAccount(generatePrivateKey())
    const now = Date.now() / 1000
    const order = createOrder(account, ownerTarget(account.address), Reason.Drill, 'flood', now)
    const signature = await signOrder(account, setup.deployment, order, now)
    const body = { wallet: account.address, reason: order.reason, order: orderMessage(order), signature }
    bodies.push(httpPost('/api/kill/emergency', JSON.stringify(body)))
  }
  sendAll(setup, bodies)
}

async function badSignatures(setup: FloodSetup): Promise<void> {
  const { agent, deployment } = setup
  const bodies: string[] = []
  for (let index = 0; index < variants; index += 1) {
    const account = privateKeyToAccount(generatePrivateKey())
    const now = Date.now() / 1000
    const own = createOrder(account, agentTarget(agent.uuid), Reason.Drill, 'flood', now)
    const order = { ...own, authority: agent.owner }
    const signature = await signOrder(account, deployment, order, now)
    const body = { spiffeId: agent.spiffeId, reason: order.reason, order: orderMessage(order), signature }
    bodies.push(httpPost('/api/kill', JSON.stringify(body)))
  }
  sendAll(setup, bodies)
}

function hugeBodies(setup: FloodSetup): void {
  const huge = httpPost('/api/kill', `"${'x'.repeat(hugeBody)}"`)
  const near = httpPost('/api/kill', JSON.stringify({ spiffeId: 'x'.repeat(nearLimit) }))
  sendAll(setup, [huge], busy / 8)
  sendAll(setup, [near], busy / 2)
}

function slowBodies(setup: FloodSetup): void {
  const begin = (): void => {
    const socket = open(setup)
    sent += 1
    socket.write(
      'POST /api/kill HTTP/1.1\r\nhost: relayer\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{',
    )
    const timer = setInterval(() => socket.write('x'), 1_000)
    socket.on('data', (chunk: Buffer) => note(chunk.toString('latin1', 9, 12)))
    socket.once('close', () => {
      clearInterval(timer)
      note('cut')
      setTimeout(begin, pause)
    })
  }
  for (let index = 0; index < slow; index += 1) begin()
}

function headerBombs(setup: FloodSetup): void {
  const many = Array.from({ length: 400 }, (_, index) => `x-${index}: ${'y'.repeat(28)}\r\n`).join('')
  sendAll(setup, [`GET /healthz HTTP/1.1\r\nhost: relayer\r\n${many}\r\n`], busy / 2)
  const endless = (): void => {
    const socket = open(setup)
    sent += 1
    socket.write('GET /healthz HTTP/1.1\r\nhost: relayer\r\n')
    const timer = setInterval(() => socket.write(`x-more: ${'z'.repeat(1_000)}\r\n`), 20)
    socket.on('data', (chunk: Buffer) => note(chunk.toString('latin1', 9, 12)))
    socket.once('close', () => {
      clearInterval(timer)
      note('cut')
      setTimeout(endless, pause)
    })
  }
  for (let index = 0; index < busy; index += 1) endless()
}

function connections(setup: FloodSetup): void {
  const rest = (): void => {
    const socket = open(setup)
    sent += 1
    socket.on('data', () => {})
    socket.once('close', () => {
      note('cut')
      setTimeout(rest, pause)
    })
  }
  for (let index = 0; index < idle; index += 1) setTimeout(rest, index / 4)
  const comeAndGo = (): void => {
    const socket = open(setup)
    sent += 1
    socket.once('connect', () => socket.destroy())
    socket.once('close', () => setImmediate(comeAndGo))
  }
  for (let index = 0; index < busy; index += 1) comeAndGo()
}

async function registrations(setup: FloodSetup): Promise<void> {
  sendAll(setup, [httpPost('/agents/challenges', '{}')], busy / 4)
  const account = privateKeyToAccount(setup.funded)
  const transport = http(setup.rpc, { retryCount: 0 })
  const client = createPublicClient({ transport })
  const chain = defineChain({
    id: setup.deployment.chainId,
    name: 'flood',
    nativeCurrency: { name: 'ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [setup.rpc] } },
  })
  const wallet = createWalletClient({ account, chain, transport })
  let nonce = await client.getTransactionCount({ address: account.address })
  const random = (): Hex => toHex(randomBytes(32))
  const register = async (): Promise<void> => {
    const { maxFeePerGas } = await client.estimateFeesPerGas({ chain })
    sent += 1
    await wallet.writeContract({
      address: setup.deployment.contract,
      abi: killSwitchAbi,
      functionName: 'registerBatch',
      args: [Array.from({ length: 100 }, () => ({ agentType: 'flood', key: random(), salt: random() }))],
      gas: 16_000_000n,
      // Kills pay more: the chain's queue is not what is measured.
      maxFeePerGas: maxFeePerGas * 2n,
      maxPriorityFeePerGas: 1n,
      nonce,
    })
    nonce += 1
    note('registered')
  }
  for (;;) {
    await register().catch((error: Error) => note(error.name))
    await new Promise((resolve) => setTimeout(resolve, pause * 5))
  }
}

const kinds: Readonly<Record<FloodKind, (setup: FloodSetup) => void | Promise<void>>> = {
  freeWallets,
  badSignatures,
  hugeBodies,
  slowBodies,
  headerBombs,
  connections,
  registrations,
}

onParent<FloodSetup>('setup', (setup) => {
  Promise.resolve(kinds[setup.kind](setup)).catch((error: Error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
  tellParent<FloodMessage>({ type: 'flooding' })
})
onParent<{ readonly type: 'count' }>('count', () =>
  tellParent<FloodMessage>({ type: 'counted', sent, answers }),
)
process.channel?.ref()
process.once('SIGTERM', () => process.exit(0))
