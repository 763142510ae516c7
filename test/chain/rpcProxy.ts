import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

type Call = { readonly method: string; readonly params: readonly unknown[] }
type Answer = { readonly result: unknown } | { readonly error: { code: number; message: string } } | 'silence'

export type RpcProxy = {
  readonly url: string
  readonly calls: readonly Call[]
  stop(): Promise<void>
}

/** A JSON-RPC server in front of a node; `intercept` may answer in its place. */
export async function startRpcProxy(
  target: string,
  intercept: (call: Call, forward: () => Promise<unknown>) => Promise<Answer | null>,
): Promise<RpcProxy> {
  const calls: Call[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = Buffer.concat(parts).toString('utf8')
    const call = JSON.parse(body) as Call & { readonly id: number }
    calls.push(call)
    const forward = async () => {
      const answer = await fetch(target, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      return answer.json()
    }
    try {
      const own = await intercept(call, async () => ((await forward()) as { result: unknown }).result)
      if (own === 'silence') return
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(own === null ? await forward() : { jsonrpc: '2.0', id: call.id, ...own }))
    } catch {
      // The node has gone: so does the connection.
      response.destroy()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
