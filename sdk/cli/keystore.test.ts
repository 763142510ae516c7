import { describe, expect, test } from 'vitest'
import { decryptKeystore, KeystoreError } from './keystore.ts'

// The vectors of
// https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/#pbkdf2-sha-256 and #scrypt
const secret = '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
const password = 'testpassword'
const pbkdf2 = {
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
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}
const scrypt = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt',
    kdfparams: {
      dklen: 32,
      n: 262144,
      p: 8,
      r: 1,
      salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
    },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}

describe.each([
  ['pbkdf2', pbkdf2],
  ['scrypt', scrypt],
])('%s', (_name, store) => {
  test('gives the key of the published vector', () => {
    expect(decryptKeystore(JSON.stringify(store), password)).toBe(secret)
  })

  test('says that a wrong password is wrong', () => {
    expect(() => decryptKeystore(JSON.stringify(store), 'Testpassword')).toThrow(
      expect.objectContaining({ name: 'KeystoreError', wrongPassword: true }),
    )
  })
})

const changed = (change: Record<string, unknown>, params: Record<string, unknown> = {}) =>
  JSON.stringify({
    ...scrypt,
    crypto: { ...scrypt.crypto, ...change, kdfparams: { ...scrypt.crypto.kdfparams, ...params } },
  })

test.each([
  ['other text', 'hello', 'is no JSON'],
  ['a list', '[]', 'object'],
  ['another version', JSON.stringify({ ...scrypt, version: 1 }), 'version 3'],
  ['another cipher', changed({ cipher: 'aes-256-gcm' }), 'crypto.cipher'],
  ['another derivation', changed({ kdf: 'argon2' }), 'crypto.kdf'],
  ['a short cipher text', changed({ ciphertext: 'd172' }), 'crypto.ciphertext'],
  ['a check sum of letters', changed({ mac: 'zz' }), 'crypto.mac'],
  ['rounds without end', changed({}, { n: 2 ** 30, r: 8 }), '1 GiB'],
  ['rounds that are no power of two', changed({}, { n: 1000 }), 'power of two'],
])('refuses %s', (_what, text, why) => {
  const open = () => decryptKeystore(text, password)
  expect(open).toThrow(KeystoreError)
  expect(open).toThrow(why)
})
