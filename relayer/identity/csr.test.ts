import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { InvalidCsrError, maxCsrLength, readCsr } from './csr.ts'
import { toPem } from './der.ts'

const p256 = { name: 'ECDSA', namedCurve: 'P-256' }
const label = 'CERTIFICATE REQUEST'

async function request(algorithm: object = p256, hash = 'SHA-256', name = 'CN=anything') {
  const keys = (await webcrypto.subtle.generateKey(algorithm as webcrypto.EcKeyGenParams, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair
  const csr = await Pkcs10CertificateRequestGenerator.create({
    name,
    keys,
    signingAlgorithm: { ...algorithm, hash },
  })
  return {
    pem: csr.toString('pem'),
    der: new Uint8Array(csr.rawData),
    spki: new Uint8Array(csr.publicKey.rawData),
  }
}

let good: Awaited<ReturnType<typeof request>>
beforeAll(async () => {
  good = await request()
})

test('gives the key whose possession it proves', () => {
  const csr = readCsr(good.pem)
  expect(csr.spki).toEqual(good.spki)
  expect(csr.der).toEqual(good.der)
})

test('reads PEM with other line ends and space around it', () => {
  expect(readCsr(`\r\n${good.pem.replaceAll('\n', '\r\n')}\n`).spki).toEqual(good.spki)
})

describe('refuses', () => {
  test.each<[string, object, string, string]>([
    ['P-384', { name: 'ECDSA', namedCurve: 'P-384' }, 'SHA-256', 'not P-256'],
    ['Ed25519', { name: 'Ed25519' }, 'SHA-256', 'not signed by ECDSA'],
    ['SHA-384', p256, 'SHA-384', 'not signed by ECDSA with SHA-256'],
  ])('%s', async (_, algorithm, hash, message) => {
    const { pem } = await request(algorithm, hash)
    expect(() => readCsr(pem)).toThrow(InvalidCsrError)
    expect(() => readCsr(pem)).toThrow(message)
  })

  test('the key of somebody else', async () => {
    const other = await request()
    const at = Buffer.from(good.der).indexOf(good.spki)
    const der = good.der.slice()
    der.set(other.spki, at)
    expect(() => readCsr(toPem(label, der))).toThrow('does not prove possession')
  })

  test('a point that is not on the curve', () => {
    const der = good.der.slice()
    const at = Buffer.from(good.der).indexOf(good.spki) + good.spki.length - 1
    der[at] = (der[at] as number) ^ 1
    expect(() => readCsr(toPem(label, der))).toThrow('no point of P-256')
  })

  test.each<[string, (pem: string) => string]>([
    ['nothing', () => ''],
    ['no PEM', () => 'hello'],
    ['another label', (pem) => pem.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE')],
    ['two requests', (pem) => `${pem}\n${pem}`],
    ['text around it', (pem) => `x${pem}`],
    ['other characters', (pem) => pem.replace(/A/, '*')],
    ['base64 cut short', (pem) => pem.replace(/.\n-----END/, '\n-----END')],
    ['too much', (pem) => pem + ' '.repeat(maxCsrLength)],
  ])('%s', (_, change) => {
    expect(() => readCsr(change(good.pem))).toThrow(InvalidCsrError)
  })

  test('every truncation, and octets that follow', () => {
    for (let length = 0; length < good.der.length; length++) {
      expect(() => readCsr(toPem(label, good.der.subarray(0, length)))).toThrow(InvalidCsrError)
    }
    expect(() => readCsr(toPem(label, Uint8Array.from([...good.der, 0])))).toThrow('octets follow')
  })

  test('every changed octet', () => {
    fc.assert(
      fc.property(fc.nat(good.der.length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        const der = good.der.slice()
        der[at] = (der[at] as number) ^ difference
        expect(() => readCsr(toPem(label, der))).toThrow(InvalidCsrError)
      }),
      { numRuns: 1000 },
    )
  })

  test('patterns that would make a reader slow', () => {
    const started = performance.now()
    expect(() => readCsr(`-----BEGIN ${label}-----\n${'\n'.repeat(4000)}`)).toThrow(InvalidCsrError)
    expect(() => readCsr(' '.repeat(4096))).toThrow(InvalidCsrError)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})
