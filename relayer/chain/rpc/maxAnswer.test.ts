import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test, vi } from 'vitest'
import { systemClock } from '../../clock.ts'
import { systemSchedule } from '../../schedule.ts'
import { createHttpRpc } from './httpRpc.ts'
import { RpcUnavailableError } from './rpcErrors.ts'
import { createSocketRpc } from './socketRpc.ts'

const longestAnswer = 100_000
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** A JSON-RPC answer of so many bytes. */
const answerOf = (size: number): string => {
  const empty = JSON.stringify({ jsonrpc: '2.0', id: 1, result: '' })
  return JSON.stringify({ jsonrpc: '2.0', id: 1, result: 'x'.repeat(size - empty.length) })
}

test.each([
  ['HTTP', 0, 'string'],
  ['HTTP', 1, RpcUnavailableError],
  ['WebSocket', 0, 'string'],
  ['WebSocket', 1, RpcUnavailableError],
] as const)('an answer over %s of %i bytes beyond the limit', async (over, beyond, what) => {
  const answer = answerOf(longestAnswer + beyond)
  const server = createServer((_, response) => response.end(answer))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  vi.stubGlobal(
    'WebSocket',
    class {
      onopen = () => {}
      onmessage = (_: object) => {}
      constructor() {
        setImmediate(() => this.onopen())
      }
      send = () => this.onmessage({ data: answer })
      close() {}
    },
  )
  const rpc =
    over === 'HTTP'
      ? createHttpRpc(
          `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
          systemSchedule,
          longestAnswer,
        )
      : createSocketRpc('ws://127.0.0.1:1', {
          clock: systemClock,
          schedule: systemSchedule,
          random: () => 0.5,
          log: quiet,
          longestAnswer,
        })
  const said = await rpc.request('m', [], 10_000).catch((error: unknown) => error)
  if (what === 'string') expect(typeof said).toBe(what)
  else expect(said).toBeInstanceOf(what)
  rpc.close()
  vi.unstubAllGlobals()
  server.closeAllConnections()
  server.close()
})
