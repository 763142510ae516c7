import { expect, test } from 'vitest'
import { hostName, InvalidHostError } from './hosts.ts'

const hex = (host: string): string => Buffer.from(hostName(host)).toString('hex')

test.each([
  ['localhost', `8209${Buffer.from('localhost').toString('hex')}`],
  ['Relayer.Example', `820f${Buffer.from('relayer.example').toString('hex')}`],
  ['127.0.0.1', '87047f000001'],
  ['::1', `8710${'00'.repeat(15)}01`],
  ['::', `8710${'00'.repeat(16)}`],
  ['2001:DB8::8:800:200C:417A', '871020010db80000000000080800200c417a'],
  ['1:2:3:4:5:6:7:8', '871000010002000300040005000600070008'],
  ['::ffff:192.0.2.1', '871000000000000000000000ffffc0000201'],
])('%s', (host, expected) => {
  expect(hex(host)).toBe(expected)
})

test.each([
  '',
  '-a',
  'a-',
  'a..b',
  'a.',
  'a_b',
  'a b',
  'localhost:8443',
  'fe80::1%eth0',
  '[::1]',
  'a\n',
  `${'a'.repeat(64)}.b`,
])('refuses %j', (host) => {
  expect(() => hostName(host)).toThrow(InvalidHostError)
})
