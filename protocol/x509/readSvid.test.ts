// Certificates of another writer (@peculiar/x509), so that what is read is the standard and not our own encoder.
import type { webcrypto } from 'node:crypto'
import 'reflect-metadata'
import {
  BasicConstraintsExtension,
  Extension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { InvalidSpiffeIdError } from '../spiffeId.ts'
import { InvalidSvidError } from '../svidSubject.ts'
import { InvalidDerError } from './der.ts'
import { maxSvidLength, readSvid } from './readSvid.ts'

const uuid = '0f8fad5b-d9cb-869f-a165-70867728950e'
const uri = `spiffe://killswitch.ai/trader/${uuid}`
const owner = '0x00112233445566778899aabbccddeeff00112233'
const deployment = 'eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3'
const OU = '2.5.4.11'
const UID = '0.9.2342.19200300.100.1.1'
const serialNumber = '2.5.4.5'
const subject: JsonName = [{ [OU]: [deployment] }, { [UID]: [owner] }, { [serialNumber]: ['42'] }]

type Odd = {
  readonly subject?: JsonName
  readonly uris?: readonly string[]
  readonly usage?: number
  readonly criticalUsage?: boolean
  readonly ca?: boolean
  readonly more?: readonly Extension[]
  readonly keys?: webcrypto.CryptoKeyPair
}

const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
let keys: webcrypto.CryptoKeyPair
let valid: Uint8Array

async function certificate(odd: Odd = {}): Promise<Uint8Array> {
  const pair = odd.keys ?? keys
  const made = await X509CertificateGenerator.create({
    serialNumber: '00f1e2d3',
    subject: odd.subject ?? subject,
    issuer: 'CN=issuer',
    notBefore: new Date('2026-11-20T22:00:00Z'),
    notAfter: new Date('2026-11-20T22:05:00Z'),
    publicKey: pair.publicKey,
    signingKey: pair.privateKey,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      ...(odd.ca === undefined
        ? [new Extension('2.5.29.19', true, Uint8Array.of(0x30, 0).buffer)]
        : [new BasicConstraintsExtension(odd.ca)]),
      new KeyUsagesExtension(odd.usage ?? KeyUsageFlags.digitalSignature, odd.criticalUsage ?? true),
      new SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        ...(odd.uris ?? [uri]).map((value) => ({ type: 'url', value }) as const),
      ]),
      ...(odd.more ?? []),
    ],
  })
  return new Uint8Array(made.rawData)
}

beforeAll(async () => {
  keys = await crypto.subtle.generateKey(p256, true, ['sign', 'verify'])
  valid = await certificate()
})

test('reads claims, times and serial', () => {
  expect(readSvid(valid)).toEqual({
    claims: {
      spiffeId: { trustDomain: 'killswitch.ai', type: 'trader', name: uuid },
      owner,
      deployment,
      generation: 42,
    },
    notBefore: Date.UTC(2026, 10, 20, 22),
    notAfter: Date.UTC(2026, 10, 20, 22, 5),
    serial: 'f1e2d3',
  })
})

test('reads an enrolled workload, which has no owner', async () => {
  const der = await certificate({
    subject: [{ [OU]: [deployment] }, { [serialNumber]: ['0'] }],
    uris: ['spiffe://killswitch.ai/service/shop'],
  })
  expect(readSvid(der).claims).toMatchObject({ owner: null, generation: 0, spiffeId: { name: 'shop' } })
})

const without = (type: string): JsonName => subject.filter((rdn) => rdn[type] === undefined)
const withValue = (type: string, value: string): JsonName => [...without(type), { [type]: [value] }]

describe('refuses', () => {
  test.each<[string, Odd, string]>([
    ['two URI SANs', { uris: [uri, `${uri.slice(0, -1)}f`] }, 'subjectAltName'],
    ['the same URI SAN twice', { uris: [uri, uri] }, 'subjectAltName'],
    ['no URI SAN', { uris: [] }, 'subjectAltName'],
    ['upper case in the URI', { uris: [uri.replace('trader', 'Trader')] }, 'no SPIFFE ID'],
    ['an upper-case trust domain', { uris: [uri.replace('killswitch', 'Killswitch')] }, 'no SPIFFE ID'],
    ['an upper-case scheme', { uris: [uri.replace('spiffe', 'SPIFFE')] }, 'no SPIFFE ID'],
    ['the trust domain alone', { uris: ['spiffe://killswitch.ai'] }, 'no SPIFFE ID'],
    ['a second OU', { subject: [...subject, { [OU]: [deployment] }] }, 'OU'],
    ['a second UID', { subject: [...subject, { [UID]: [owner] }] }, 'UID'],
    ['a second serialNumber', { subject: [...subject, { [serialNumber]: ['43'] }] }, 'serialNumber'],
    ['two values in one RDN', { subject: [{ [OU]: [deployment, 'x'] }, ...without(OU)] }, 'RDN of 2'],
    ['a multi-valued RDN', { subject: [{ [OU]: [deployment], [UID]: [owner] }, ...without(OU)] }, 'RDN of 2'],
    ['no OU', { subject: without(OU) }, 'OU'],
    ['no UID', { subject: without(UID) }, 'UID'],
    ['no serialNumber', { subject: without(serialNumber) }, 'serialNumber'],
    ['an upper-case owner', { subject: withValue(UID, owner.toUpperCase().replace('X', 'x')) }, 'UID'],
    ['a generation with a leading zero', { subject: withValue(serialNumber, '042') }, 'serialNumber'],
    ['a negative generation', { subject: withValue(serialNumber, '-1') }, 'serialNumber'],
    ['a generation with a newline', { subject: withValue(serialNumber, '42\n') }, 'serialNumber'],
    [
      'an owner for an enrolled workload',
      { uris: ['spiffe://killswitch.ai/service/shop'] },
      'does not belong to type service',
    ],
    ['a signing certificate', { ca: true }, 'basicConstraints'],
    ['keyCertSign', { usage: KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign }, 'keyUsage'],
    ['cRLSign', { usage: KeyUsageFlags.digitalSignature | KeyUsageFlags.cRLSign }, 'keyUsage'],
    ['no digitalSignature', { usage: KeyUsageFlags.keyAgreement }, 'keyUsage'],
    ['a keyUsage that is not critical', { criticalUsage: false }, 'keyUsage'],
    [
      'an extension twice',
      { more: [new SubjectAlternativeNameExtension([{ type: 'url', value: uri }])] },
      'more than once',
    ],
  ])('%s', async (_, odd, message) => {
    const der = await certificate(odd)
    expect(() => readSvid(der)).toThrow(message)
  })

  test('a P-384 key', async () => {
    const p384 = await crypto.subtle.generateKey({ ...p256, namedCurve: 'P-384' }, true, ['sign', 'verify'])
    const der = await certificate({ keys: p384 })
    expect(() => readSvid(der)).toThrow('public key')
  })

  // Node prints the Subject as lines `OU=…`; a value with a newline would forge one there.
  test.each([
    ['newline', `${deployment}\nUID=${owner}`],
    ['carriage return', `${deployment}\rUID=${owner}`],
    ['comma', `${deployment},UID=${owner}`],
    ['plus', `${deployment}+UID=${owner}`],
    ['escape', `${deployment}\\0AUID=${owner}`],
  ])('an owner injected into another attribute by a %s', async (_, value) => {
    const der = await certificate({ subject: [{ [OU]: [value] }, { [serialNumber]: ['42'] }] })
    expect(() => readSvid(der)).toThrow(InvalidSvidError)
    expect(() => readSvid(der)).toThrow('UID is missing')
  })

  test('an owner in an attribute of unknown type', async () => {
    const der = await certificate({ subject: [...without(UID), { '1.3.6.1.4.1.99999.1': [owner] }] })
    expect(() => readSvid(der)).toThrow('UID is missing')
  })

  test('every truncation, and octets that follow', () => {
    for (let length = 0; length < valid.length; length++) {
      expect(() => readSvid(valid.subarray(0, length))).toThrow(InvalidDerError)
    }
    expect(() => readSvid(Uint8Array.from([...valid, 0]))).toThrow('octets follow')
  })

  test('anything too long, before reading it', () => {
    expect(() => readSvid(new Uint8Array(maxSvidLength + 1))).toThrow(`more than ${maxSvidLength}`)
  })
})

const refusals = [InvalidDerError, InvalidSvidError, InvalidSpiffeIdError]
const readOrRefusal = (der: Uint8Array): unknown => {
  try {
    return readSvid(der)
  } catch (error) {
    if (refusals.some((type) => error instanceof type)) return 'refused'
    throw error
  }
}

test('any bytes are read or refused by a typed error, never by another', () => {
  const flips = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  })
  fc.assert(
    fc.property(flips, (changes) => {
      const changed = valid.slice()
      for (const [at, octet] of changes) changed[at] = octet
      readOrRefusal(changed)
    }),
    { numRuns: 5000 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (any) => readOrRefusal(any) === 'refused'))
})

test('reads outside of a view are not possible', () => {
  const padded = new Uint8Array(valid.length + 20).fill(0x30)
  padded.set(valid, 10)
  expect(readSvid(padded.subarray(10, 10 + valid.length))).toEqual(readSvid(valid))
})
