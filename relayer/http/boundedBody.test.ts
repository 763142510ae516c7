import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { boundedBody } from './boundedBody.ts'

const app = new Hono()
app.use(boundedBody({ maxSize: 10, onError: (context) => context.text('too large', 413) }))
app.all('*', async (context) => context.text(`got ${(await context.req.text()).length}`))

/** @param chunks written one by one: without a length they go in chunks */
async function ask(method: string, chunks: readonly string[], length?: number): Promise<string> {
  const server = createServer(getRequestListener(app.fetch)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const sent = request({
    port: (server.address() as AddressInfo).port,
    method,
    headers: length === undefined ? {} : { 'content-length': String(length) },
  })
  sent.on('error', () => {})
  for (const chunk of chunks) sent.write(chunk)
  sent.end()
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) =>
    sent.once('response', resolve).once('error', reject),
  )
  const answer = `${response.statusCode} ${await text(response)}, ${response.headers.connection}`
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  return answer
}

test.each([
  ['a length within the limit', 'POST', ['1234567890'], 10, '200 got 10, keep-alive'],
  ['a length beyond it', 'POST', ['12345678901'], 11, '413 too large, close'],
  ['chunks within it', 'POST', ['12345', '67890'], undefined, '200 got 10, keep-alive'],
  ['chunks beyond it', 'POST', ['12345', '678901'], undefined, '413 too large, close'],
  ['neither', 'GET', [], undefined, '200 got 0, keep-alive'],
] as const)('%s', async (_name, method, chunks, length, answer) => {
  expect(await ask(method, chunks, length)).toBe(answer)
})
