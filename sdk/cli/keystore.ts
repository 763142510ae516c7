import { createDecipheriv, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { scrypt } from '@noble/hashes/scrypt.js'
import { concat, type Hex, keccak256 } from 'viem'

export class KeystoreError extends Error {
  override readonly name = 'KeystoreError'
  /** The password is wrong, or the file was changed: the check sum cannot tell which. */
  readonly wrongPassword: boolean
  constructor(message: string, wrongPassword = false) {
    super(message)
    this.wrongPassword = wrongPassword
  }
}

/** Bounds that keep a foreign file from taking all memory or time: 1 GiB of scrypt, 10 million rounds of PBKDF2. */
const maxScryptMemory = 2 ** 30
const maxRounds = 10_000_000

type Json = Readonly<Record<string, unknown>>

function object(value: unknown, where: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new KeystoreError(`${where} is missing`)
  return value as Json
}

function bytes(value: unknown, where: string, length?: number): Buffer {
  if (typeof value !== 'string' || !/^([0-9a-fA-F]{2})+$/.test(value.replace(/^0x/, '')))
    throw new KeystoreError(`${where} is not hexadecimal`)
  const result = Buffer.from(value.replace(/^0x/, ''), 'hex')
  if (length !== undefined && result.length !== length)
    throw new KeystoreError(`${where} has ${result.length} bytes instead of ${length}`)
  return result
}

function count(value: unknown, where: string, most: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > most)
    throw new KeystoreError(`${where} is not within 1 and ${most}`)
  return value as number
}

function derive(crypto: Json, password: string): Buffer {
  const params = object(crypto.kdfparams, 'crypto.kdfparams')
  const salt = bytes(params.salt, 'crypto.kdfparams.salt')
  if (params.dklen !== 32) throw new KeystoreError('crypto.kdfparams.dklen is not 32')
  if (crypto.kdf === 'scrypt') {
    const n = count(params.n, 'crypto.kdfparams.n', maxScryptMemory)
    const r = count(params.r, 'crypto.kdfparams.r', 1024)
    const p = count(params.p, 'crypto.kdfparams.p', 1024)
    const memory = 128 * r * (n + p + 2)
    if (memory > maxScryptMemory) throw new KeystoreError('crypto.kdfparams asks for over 1 GiB of memory')
    if (n < 2 || (n & (n - 1)) !== 0) throw new KeystoreError('crypto.kdfparams.n is not a power of two')
    // Not node:crypto: OpenSSL refuses r = 1 with n over 2^16 (RFC 7914, section 2), which wallets have written.
    return Buffer.from(scrypt(password, salt, { N: n, r, p, dkLen: 32, maxmem: memory + 2 ** 20 }))
  }
  if (crypto.kdf === 'pbkdf2') {
    if (params.prf !== 'hmac-sha256') throw new KeystoreError('crypto.kdfparams.prf is not hmac-sha256')
    return pbkdf2Sync(password, salt, count(params.c, 'crypto.kdfparams.c', maxRounds), 32, 'sha256')
  }
  throw new KeystoreError('crypto.kdf is neither scrypt nor pbkdf2')
}

/**
 * Opens a Web3 Secret Storage file, version 3
 * (https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/).
 * @throws {KeystoreError}
 */
export function decryptKeystore(text: string, password: string): Hex {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new KeystoreError('is no JSON')
  }
  const store = object(parsed, 'the object')
  if (store.version !== 3) throw new KeystoreError('is not of version 3')
  // Some wallets write `Crypto`.
  const crypto = object(store.crypto ?? store.Crypto, 'crypto')
  if (crypto.cipher !== 'aes-128-ctr') throw new KeystoreError('crypto.cipher is not aes-128-ctr')
  const iv = bytes(object(crypto.cipherparams, 'crypto.cipherparams').iv, 'crypto.cipherparams.iv', 16)
  const ciphertext = bytes(crypto.ciphertext, 'crypto.ciphertext', 32)
  const mac = bytes(crypto.mac, 'crypto.mac', 32)
  const key = derive(crypto, password)
  // The check sum covers the second half of the key, the first is the cipher's.
  const found = keccak256(concat([key.subarray(16), ciphertext]), 'bytes')
  if (!timingSafeEqual(found, mac))
    throw new KeystoreError('does not open: the password is wrong, or the file was changed', true)
  const cipher = createDecipheriv('aes-128-ctr', key.subarray(0, 16), iv)
  return `0x${Buffer.concat([cipher.update(ciphertext), cipher.final()]).toString('hex')}`
}
