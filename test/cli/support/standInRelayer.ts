import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createPublicClient, type Hex, http, verifyTypedData } from 'viem'
import type { Deployment } from '../../../protocol/deployment.ts'
import { deploymentId } from '../../../protocol/deployment.ts'
import { killSwitchAbi } from '../../../protocol/generated/killSwitchAbi.ts'
import { isKilled } from '../../../protocol/liveness.ts'
import { checkOrder, InvalidOrderError, type KillOrder, killOrderTypedData } from '../../../protocol/order.ts'
import { applyRegistryEvent, createRegistry, stateIn } from '../../../protocol/registry.ts'
import { decodeRegistryLog } from '../../../protocol/registryLog.ts'
import { agentTarget, ownerTarget, Scope, scopeName } from '../../../protocol/scope.ts'
import { agentSpiffeId, parseSpiffeId } from '../../../protocol/spiffeId.ts'

/** An enforcement point of the stand-in: how long after the kill it confirms; null for never. */
export type StandInPoint = { readonly name: string; readonly after: number | null }

type Request = {
  readonly spiffeId?: string
  readonly wallet?: Hex
  readonly reason: number
  readonly deployment?: string
  readonly order: Record<string, string | number>
  readonly signature: Hex
}

export type StandIn = {
  readonly url: string
  /** Requests to kill that came, refused ones too. */
  readonly requests: Request[]
  points: readonly StandInPoint[]
  /** Breaks the connection of so many requests to kill after having taken them. */
  breakNext: number
  /** A kill that a transaction made, as a relayer sees it in a block. */
  seeTransaction(txHash: string): void
  /** What `/kills/stream` sends to whoever comes before it ends: events and their data. */
  stream: readonly (readonly [event: string, data: string])[]
  /** Answers every question for kills with 503 while it is true. */
  isSilent: boolean
  close(): Promise<void>
}

/** A relayer that has no follower and no feed but the real rules for orders: format, times, power and signature. */
export async function startStandIn(rpc: string, deployment: Deployment): Promise<StandIn> {
  const client = createPublicClient({ transport: http(rpc) })
  const kills = new Map<
    string,
    { id: string; seenAt: number; order: KillOrder | null; txHash: string | null }
  >()
  const byNonce = new Map<string, string>()
  const standIn = {
    requests: [] as Request[],
    points: [] as readonly StandInPoint[],
    breakNext: 0,
    isSilent: false,
    stream: [] as StandIn['stream'],
    seeTransaction(txHash: string) {
      const id = randomUUID()
      kills.set(id, { id, seenAt: Date.now(), order: null, txHash })
    },
  }

  const view = ({
    id,
    seenAt,
    order,
    txHash,
  }: {
    id: string
    seenAt: number
    order: KillOrder | null
    txHash: string | null
  }) => ({
    id,
    scope: scopeName(order?.scope ?? Scope.Agent),
    subject: order?.subject ?? '',
    label: '',
    rank: 'Owner',
    reason: order?.reason ?? 0,
    text: order?.text ?? '',
    state: 'enforced',
    timeline: {
      seenAt,
      durableAt: seenAt + 2,
      publishedAt: seenAt + 3,
      onChainAt: null,
      finalAt: null,
      txHash,
    },
    points: standIn.points.map(({ name, after }) => {
      const isConfirmed = after !== null && Date.now() >= seenAt + after
      return {
        spiffeId: `spiffe://killswitch.test/service/${name}`,
        state: isConfirmed ? 'confirmed' : 'pending',
        confirmedAt: isConfirmed ? seenAt + (after ?? 0) : null,
      }
    }),
  })

  /** The agents of the chain's head: the grant point of a local chain. */
  const agentViews = async () => {
    const [logs, trustDomain] = await Promise.all([
      client.getLogs({ address: deployment.contract, fromBlock: 0n }),
      client.readContract({ address: deployment.contract, abi: killSwitchAbi, functionName: 'trustDomain' }),
    ])
    const registry = createRegistry()
    for (const log of logs) {
      const event = decodeRegistryLog(log)
      if (event !== null) applyRegistryEvent(registry, event, 0)
    }
    return [...registry.agents.values()].map((agent) => ({
      uuid: agent.uuid,
      spiffeId: agentSpiffeId(trustDomain, agent),
      owner: agent.owner,
      agentType: agent.agentType,
      state: isKilled(agent, stateIn(registry)) ? 'killed' : 'alive',
      kill: null,
      svid: null,
      lastAccessAt: null,
      requestsPerSecond: null,
    }))
  }

  const problem = (status: number, slug: string, detail: string, field?: string) => ({
    status,
    body: {
      type: `https://killswitch.ai/problems/${slug}`,
      title: slug,
      status,
      detail,
      ...(field === undefined ? {} : { field }),
    },
  })

  async function take(path: string, request: Request) {
    const target =
      path === '/api/kill'
        ? agentTarget(parseSpiffeId(request.spiffeId as string).name)
        : ownerTarget(request.wallet as Hex)
    const { order: raw } = request
    // Exactly the spelling of docs/protocol.md: numbers up to 16 bits, decimal strings above.
    if (typeof raw.scope !== 'number' || typeof raw.reason !== 'number')
      return problem(400, 'malformed-request', 'must be a number', 'order.scope')
    for (const field of ['issuedAt', 'deadline', 'nonce']) {
      if (!/^(0|[1-9][0-9]*)$/.test(String(raw[field])) || typeof raw[field] !== 'string')
        return problem(400, 'malformed-request', 'must be a decimal string', `order.${field}`)
    }
    const order = {
      ...raw,
      issuedAt: BigInt(raw.issuedAt as string),
      deadline: BigInt(raw.deadline as string),
      nonce: BigInt(raw.nonce as string),
    } as unknown as KillOrder
    if (request.deployment !== deploymentId(deployment))
      return problem(421, 'other-deployment', 'this relayer serves another deployment', 'deployment')
    if (order.scope !== target.scope || order.subject !== target.subject || order.reason !== request.reason)
      return problem(400, 'malformed-request', 'the order is about something else', 'order')
    try {
      checkOrder(order, BigInt(Math.floor(Date.now() / 1000)))
    } catch (error) {
      if (error instanceof InvalidOrderError)
        return problem(422, error.kind, error.message, `order.${error.field}`)
      throw error
    }
    const valid = await verifyTypedData({
      ...killOrderTypedData(deployment, order),
      address: order.authority,
      signature: request.signature,
    })
    if (!valid) return problem(401, 'bad-signature', 'not the signature of the authority', 'signature')
    const rank = await client.readContract({
      address: deployment.contract,
      abi: killSwitchAbi,
      functionName: 'killRankOf',
      args: [order.authority, order.scope, order.subject],
    })
    if (rank === 0)
      return problem(403, 'not-authorized', `${order.authority} has no kill over it`, 'order.authority')
    const nonce = `${order.authority}:${order.nonce}`
    const id = byNonce.get(nonce) ?? randomUUID()
    if (!byNonce.has(nonce)) kills.set(id, { id, seenAt: Date.now(), order, txHash: null })
    byNonce.set(nonce, id)
    const { seenAt } = kills.get(id) as { seenAt: number }
    return {
      status: 202,
      body: { killId: id, state: 'enforced', seenAt, durableAt: seenAt + 2, publishedAt: seenAt + 3 },
    }
  }

  async function answer(message: IncomingMessage): Promise<{ status: number; body: unknown } | null> {
    const path = (message.url ?? '').replace(/\?.*/, '')
    if (message.method === 'POST') {
      let text = ''
      for await (const chunk of message) text += String(chunk)
      const request = JSON.parse(text) as Request
      standIn.requests.push(request)
      const taken = await take(path, request)
      if (standIn.breakNext > 0) {
        standIn.breakNext--
        return null
      }
      return taken
    }
    if (standIn.isSilent) return problem(503, 'unavailable', 'later')
    if (path === '/kills') return { status: 200, body: { kills: [...kills.values()].map(view) } }
    const kill = kills.get(path.replace('/kills/', ''))
    if (path.startsWith('/kills/') && kill !== undefined) return { status: 200, body: view(kill) }
    if (path === '/agents') {
      const owner = new URL(message.url ?? '', 'http://relayer').searchParams.get('owner')
      const agents = (await agentViews()).filter((agent) => owner === null || agent.owner === owner)
      return { status: 200, body: { agents } }
    }
    if (path.startsWith('/agents/')) {
      const agent = (await agentViews()).find(({ uuid }) => path === `/agents/${uuid}`)
      if (agent !== undefined) return { status: 200, body: agent }
    }
    return problem(404, 'unknown', `there is no ${path} here`)
  }

  const server = createServer((message, response) => {
    if (message.url === '/kills/stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': welcome\n\n')
      for (const [event, data] of standIn.stream) response.write(`event: ${event}\ndata: ${data}\n\n`)
      response.end()
      return
    }
    answer(message).then(
      (result) => {
        if (result === null) message.socket.destroy()
        else
          response
            .writeHead(result.status, { 'content-type': 'application/json' })
            .end(JSON.stringify(result.body))
      },
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(standIn, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  })
}
