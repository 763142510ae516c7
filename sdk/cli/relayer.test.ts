import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { callRelayer, RelayerUnreachableError } from './relayer.ts'

/** A relayer that breaks the line instead of its first answers. */
async function breakingRelayer(breaks: number) {
  let calls = 0
  const server = createServer((request, response) => {
    calls += 1
    if (calls <= breaks) request.socket.resetAndDestroy()
    else response.setHeader('content-type', 'application/json').end('{"ok":true}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as { readonly port: number }
  return { url: `http://127.0.0.1:${port}`, calls: () => calls }
}

test('a call whose line breaks is made again', async () => {
  const relayer = await breakingRelayer(2)
  expect(await callRelayer(relayer.url, '/kills')).toEqual({ ok: true })
  expect(relayer.calls()).toBe(3)
})

test('a line that keeps breaking is said, with how', async () => {
  const relayer = await breakingRelayer(Number.POSITIVE_INFINITY)
  const call = callRelayer(relayer.url, '/kills')
  await expect(call).rejects.toThrow(RelayerUnreachableError)
  await expect(call).rejects.toThrow(/cannot be reached \((ECONNRESET|UND_ERR_SOCKET)\)/)
  expect(relayer.calls()).toBe(3)
})
