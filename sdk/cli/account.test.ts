import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadAccount } from './account.ts'
import { optionTable } from './optionTable.ts'
import { readSettings } from './settings.ts'
import type { Surroundings } from './surroundings.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'killswitch-account-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// Hardhat's well-known first and second accounts.
const keys = [
  'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
] as const
const addresses = [
  '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
  '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
] as const

// The published PBKDF2 vector; its password is `testpassword`.
const keystore = JSON.stringify({
  version: 3,
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
})

function write(name: string, content: string, mode = 0o600): string {
  const file = path.join(folder, name)
  writeFileSync(file, content)
  chmodSync(file, mode)
  return file
}

const alice = write('alice.key', `0x${keys[0]}\n`)
const bob = write('bob.key', keys[1])
const store = write('store.json', keystore, 0o644)

function load(args: string[], given: Partial<Surroundings> = {}, preferred?: `0x${string}`) {
  const surroundings: Surroundings = {
    env: {},
    cwd: folder,
    out: () => {},
    err: () => {},
    isTerminal: false,
    ask: () => Promise.reject(new Error('nobody is there')),
    now: () => 0,
    sleep: () => Promise.resolve(),
    ...given,
  }
  return loadAccount(readSettings(args, optionTable, surroundings), surroundings, preferred)
}

test('reads a key file, with or without 0x', async () => {
  expect((await load(['--key-file', 'alice.key'])).address).toBe(addresses[0])
  expect((await load(['--key-file', bob])).address).toBe(addresses[1])
})

test.each([0o644, 0o640, 0o660, 0o602, 0o604])('refuses a key file of mode %o', async (mode) => {
  const file = write(`open-${mode}.key`, keys[0], mode)
  await expect(load(['--key-file', file])).rejects.toThrow(`chmod 600 ${file}`)
})

test('takes a key file that only its owner can read', async () => {
  expect((await load(['--key-file', write('ro.key', keys[0], 0o400)])).address).toBe(addresses[0])
})

test.each([
  ['missing', () => path.join(folder, 'none.key'), 'cannot be read: ENOENT'],
  ['a folder', () => folder, 'no file'],
  ['empty', () => write('empty.key', ''), 'no private key'],
  ['too long', () => write('long.key', `${keys[0]}00`), 'no private key'],
  ['zero', () => write('zero.key', '0'.repeat(64)), 'no private key of secp256k1'],
])('refuses a key file that is %s, without showing what is in it', async (_what, file, why) => {
  const error = (await load(['--key-file', file()]).catch((e: unknown) => e)) as Error
  expect(error.message).toContain(why)
  expect(error.message).not.toContain(keys[0])
})

test('a key in place of a file name is refused and not repeated', async () => {
  const error = (await load(['--key-file', keys[0]]).catch((e: unknown) => e)) as Error
  expect(error.message).toContain('--key-file is a key itself')
  expect(error.message).not.toContain(keys[0].slice(0, 8))
})

test('opens a keystore with a password from the environment, a file or the terminal', async () => {
  const expected = '0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b'
  const { address } = await load(['--keystore', store], {
    env: { KILLSWITCH_KEYSTORE_PASSWORD: 'testpassword' },
  })
  expect(address).toBe(expected)
  const file = write('password', 'testpassword\n')
  expect((await load(['--keystore', store, '--password-file', file])).address).toBe(expected)
  const questions: [string, boolean | undefined][] = []
  const ask = (question: string, hidden?: boolean) => {
    questions.push([question, hidden])
    return Promise.resolve('testpassword')
  }
  expect((await load(['--keystore', store], { isTerminal: true, ask })).address).toBe(expected)
  expect(questions).toEqual([[`Password of ${store}: `, true]])
})

test('refuses a keystore without password, with a wrong one, or with one that others can read', async () => {
  await expect(load(['--keystore', store])).rejects.toThrow('--keystore needs its password')
  await expect(
    load(['--keystore', store], { env: { KILLSWITCH_KEYSTORE_PASSWORD: 'wrong' } }),
  ).rejects.toThrow('the password is wrong')
  const file = write('open-password', 'testpassword', 0o644)
  await expect(load(['--keystore', store, '--password-file', file])).rejects.toThrow('chmod 600')
  await expect(load(['--keystore', alice], { env: { KILLSWITCH_KEYSTORE_PASSWORD: 'x' } })).rejects.toThrow(
    'is no keystore',
  )
})

test('two keys from one source contradict; one from a stronger source wins', async () => {
  await expect(load(['--keystore', store, '--key-file', alice])).rejects.toThrow('contradicts')
  expect((await load(['--key-file', bob], { env: { KILLSWITCH_KEY_FILE: alice } })).address).toBe(
    addresses[1],
  )
})

test('among the keys of a configuration it takes the one named, the only one, or the preferred one', async () => {
  const both = write('both.json', JSON.stringify({ keyFiles: { alice: 'alice.key', bob: 'bob.key' } }))
  const one = write('one.json', JSON.stringify({ keyFiles: { bob: 'bob.key' } }))
  expect((await load(['--config', both, '--as', 'bob'])).address).toBe(addresses[1])
  expect((await load(['--config', one])).address).toBe(addresses[1])
  expect((await load(['--config', both], {}, addresses[1])).address).toBe(addresses[1])
  await expect(load(['--config', both])).rejects.toThrow(
    '--as is needed: the configuration has the keys alice, bob',
  )
  await expect(load(['--config', both], {}, `0x${'1'.repeat(40)}`)).rejects.toThrow('--as is needed')
  await expect(load(['--config', both, '--as', 'toString'])).rejects.toThrow('known: alice, bob')
  await expect(load([])).rejects.toThrow('--key-file or --keystore is needed')
})
