import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createRegistry } from '../../protocol/registry.ts'
import { ownerTarget } from '../../protocol/scope.ts'
import { makeKill, ofOrder } from '../../test/relayer/makeKill.ts'
import { createPeerClient } from './peerClient.ts'

test.each([
  [202, 'taken'],
  [400, 'refused'],
  [403, 'later'],
  [404, 'later'],
  [409, 'refused'],
  [410, 'refused'],
  [422, 'refused'],
  [429, 'busy'],
  [503, 'busy'],
])('a relayer that answers %d: the order is %s', async (status, outcome) => {
  const server = createServer((_request, response) => response.writeHead(status).end('why'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const deliver = createPeerClient({ registry: createRegistry(), trustDomain: 'a.example', deployment: 'd' })
  const kill = makeKill(1, { ...ofOrder(1, 1_000), ...ownerTarget(`0x${'a1'.repeat(20)}`) })
  const { port } = server.address() as AddressInfo
  expect(await deliver(`http://127.0.0.1:${port}`, kill)).toMatchObject({ outcome })
})
