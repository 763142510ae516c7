import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { claimPorts } from './ports.ts'

const wanted = (port: number) => ({ what: 'the relayer', option: '--port-relayer', port })

describe('claimPorts', () => {
  it('names the port in use and the option that changes it', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      await expect(claimPorts({ relayer: wanted(port) })).rejects.toThrow(
        `port ${port} for the relayer is in use; --port-relayer <number> takes another (0: any)`,
      )
    } finally {
      server.close()
    }
    expect(await claimPorts({ relayer: wanted(port) })).toEqual({ relayer: port })
  })

  it('finds a free port for 0, and others for further zeros', async () => {
    const { a, b } = await claimPorts({ a: wanted(0), b: wanted(0) })
    expect(a).toBeGreaterThan(0)
    expect(b).not.toBe(a)
  })

  it('refuses one port for two parts', async () => {
    const { free } = await claimPorts({ free: wanted(0) })
    const service = { what: 'the service', option: '--port-service', port: free }
    await expect(claimPorts({ relayer: wanted(free), service })).rejects.toThrow(
      /wanted twice, for the relayer and for the service; --port-service/,
    )
  })
})
