import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { clientAddress } from './clientAddress.ts'

const request = (remoteAddress: string, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage
const proxies = new Set(['192.0.2.100'])

test('a stranger cannot name himself otherwise', () => {
  expect(clientAddress(request('192.0.2.1', '198.51.100.7'), proxies)).toBe('192.0.2.1')
})

test('behind a proxy it is the last that the proxy names', () => {
  expect(clientAddress(request('192.0.2.100', '203.0.113.9, 198.51.100.7'), proxies)).toBe('198.51.100.7')
  expect(clientAddress(request('192.0.2.100'), proxies)).toBe('192.0.2.100')
})
