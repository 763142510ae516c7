import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type TcpProxy = {
  readonly port: number
  /** Connections accepted so far. */
  readonly accepted: () => number
  /** Resolves once that many connections have been accepted. */
  untilAccepted(count: number): Promise<void>
  /** Destroys the open connections. */
  cut(): void
  /** Open connections stay open and carry nothing any more; new ones work. */
  freeze(): void
  stop(): Promise<void>
}

/** Between a client and a local port, to break connections in the ways of networks. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  let pairs: { readonly client: Socket; readonly server: Socket }[] = []
  const waiters = new Set<() => void>()
  let accepted = 0
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    pairs.push({ client, server: upstream })
    for (const side of [client, upstream]) side.on('error', () => side.destroy())
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    client.pipe(upstream)
    upstream.pipe(client)
    accepted += 1
    for (const check of waiters) check()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    untilAccepted: (count) =>
      new Promise((resolve) => {
        const check = () => {
          if (accepted < count) return
          waiters.delete(check)
          resolve()
        }
        waiters.add(check)
        check()
      }),
    cut() {
      for (const { client } of pairs) client.destroy()
      pairs = []
    },
    freeze() {
      for (const { client, server: upstream } of pairs) {
        client.unpipe(upstream)
        upstream.unpipe(client)
        // Read and thrown away: nothing arrives, and nobody is told.
        client.resume()
        upstream.resume()
      }
    },
    async stop() {
      for (const { client } of pairs) client.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
