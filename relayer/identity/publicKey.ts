import { createPublicKey, type KeyObject } from 'node:crypto'
import { toPem } from './der.ts'

/**
 * The key of a DER SubjectPublicKeyInfo. Given as PEM, for of an object with DER in it Node asks several times whether it
 * is a key itself, which costs as much as the rest (50 of 65 µs in Node 24).
 * @throws where it is no key
 */
export const publicKeyOf = (spki: Uint8Array): KeyObject => createPublicKey(toPem('PUBLIC KEY', spki))
