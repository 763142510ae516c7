import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openFeedKey, UnusableFeedKeyError } from './feedKey.ts'
import { createSecretFile, SecretFileExposedError } from './secretFile.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'feed-key-'))
  file = path.join(folder, 'data', 'feed.key')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('is made once, private, and the same again', () => {
  const { publicKey } = openFeedKey(file)
  expect(publicKey).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(openFeedKey(file).publicKey).toBe(publicKey)
  expect(readdirSync(path.dirname(file))).toEqual(['feed.key'])
})

test('signs as its public key verifies', () => {
  const { publicKey, sign } = openFeedKey(file)
  const bytes = Buffer.from('killswitch-feed-v1')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' })
  expect(verify(null, bytes, key, sign(bytes))).toBe(true)
  expect(sign(bytes)).toHaveLength(64)
})

test.each([0o640, 0o604, 0o666])('is refused with mode %o', (mode) => {
  openFeedKey(file)
  chmodSync(file, mode)
  expect(() => openFeedKey(file)).toThrow(SecretFileExposedError)
  expect(() => openFeedKey(file)).toThrow(`mode 0${mode.toString(8)}`)
})

test('is refused when it is another kind of key or none, without a word of what it holds', () => {
  openFeedKey(file)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  expect(() => openFeedKey(file)).toThrow('not Ed25519')
  writeFileSync(file, 'hunter2')
  expect(() => openFeedKey(file)).toThrow(UnusableFeedKeyError)
  expect(() => openFeedKey(file)).not.toThrow('hunter2')
})

test('never replaces a file that is there', () => {
  expect(createSecretFile(file, 'first')).toBe(true)
  expect(createSecretFile(file, 'second')).toBe(false)
  expect(readFileSync(file, 'utf8')).toBe('first')
  expect(readdirSync(path.dirname(file))).toEqual(['feed.key'])
})
