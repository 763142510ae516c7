import type { PeerCertificate } from 'node:tls'
import { expect, test } from 'vitest'
import { checkServer, type ExpectedServer } from './serverIdentity.ts'

const judge = (subjectaltname: string | undefined, expected?: ExpectedServer) =>
  checkServer('a.test', expected)('host', { subjectaltname } as PeerCertificate)

test('a server of the trust domain passes, with other kinds of names beside', () => {
  expect(judge('URI:spiffe://a.test/service/demo')).toBeUndefined()
  expect(judge('DNS:localhost, IP Address:127.0.0.1, URI:spiffe://a.test/service/demo')).toBeUndefined()
  expect(judge('URI:spiffe://a.test/relayer/one', (server) => server.type === 'relayer')).toBeUndefined()
})

test.each([
  [undefined],
  ['DNS:localhost'],
  ['URI:spiffe://b.test/service/demo'],
  ['URI:https://a.test/service/demo'],
  ['URI:spiffe://a.test/service/demo, URI:spiffe://a.test/service/other'],
  // One DNS name that is written so that it looks like three.
  ['DNS:"x, URI:spiffe://a.test/service/demo, y"'],
])('%s is refused', (names) => {
  expect(judge(names)).toBeInstanceOf(Error)
})

test('another server than the expected one is refused', () => {
  const names = 'URI:spiffe://a.test/service/demo'
  expect(judge(names, 'spiffe://a.test/service/other')).toMatchObject({
    name: 'UnexpectedServerError',
    subjectAltName: names,
  })
  expect(judge(names, (server) => server.type === 'relayer')).toMatchObject({ name: 'UnexpectedServerError' })
})
