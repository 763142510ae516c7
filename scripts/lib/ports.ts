import { createServer } from 'node:net'
import { SetupError } from './setupError.ts'

/** A port and the option that changes it. */
export type WantedPort = { readonly what: string; readonly option: string; readonly port: number }

const host = '127.0.0.1'

/** The port, or a free one for 0. */
function tryPort({ what, option, port }: WantedPort): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? 'is in use'
          : error.code === 'EACCES'
            ? 'may not be opened by this user'
            : `cannot be opened (${error.code})`
      reject(
        new SetupError(`port ${port} for ${what} ${why}; ${option} <number> takes another (0: any)`, error),
      )
    })
    server.listen(port, host, () => {
      const address = server.address()
      const taken = typeof address === 'object' && address !== null ? address.port : port
      server.close(() => resolve(taken))
    })
  })
}

/** Makes sure that the ports are free before anything is started. @throws {SetupError} */
export async function claimPorts<K extends string>(
  wanted: Readonly<Record<K, WantedPort>>,
): Promise<Readonly<Record<K, number>>> {
  const claimed: [string, number][] = []
  for (const [name, one] of Object.entries<WantedPort>(wanted)) {
    const twin = claimed.find(([, port]) => port === one.port)
    if (twin !== undefined)
      throw new SetupError(
        `port ${one.port} is wanted twice, for ${wanted[twin[0] as K].what} and for ${one.what}; ${one.option} <number> takes another`,
      )
    claimed.push([name, await tryPort(one)])
  }
  return Object.fromEntries(claimed) as Record<K, number>
}
