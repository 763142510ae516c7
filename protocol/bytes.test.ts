import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromBase64Url, InvalidBase64UrlError, toBase64Url } from './bytes.ts'

// RFC 4648, section 10, without padding.
const vectors = [
  ['', ''],
  ['f', 'Zg'],
  ['fo', 'Zm8'],
  ['foo', 'Zm9v'],
  ['foob', 'Zm9vYg'],
  ['fooba', 'Zm9vYmE'],
  ['foobar', 'Zm9vYmFy'],
] as const

test.each(vectors)('RFC 4648 vector %j', (text, encoded) => {
  expect(toBase64Url(new TextEncoder().encode(text))).toBe(encoded)
  expect(new TextDecoder().decode(fromBase64Url(encoded))).toBe(text)
})

test('agrees with Node for all bytes, both ways', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = Buffer.from(bytes).toString('base64url')
      expect(toBase64Url(bytes)).toBe(text)
      expect([...fromBase64Url(text)]).toEqual([...bytes])
    }),
  )
})

test('what it reads it also writes: one spelling per value', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ABab09-_+/= \n') }), (text) => {
      try {
        expect(toBase64Url(fromBase64Url(text))).toBe(text)
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidBase64UrlError)
      }
    }),
    { numRuns: 1000 },
  )
})

test.each(['Zh', 'Zm9', 'Zg==', 'Z', 'Zm9v\n', 'Zm+v', 'Zm/v', 'é'])('refuses %j', (text) => {
  expect(() => fromBase64Url(text)).toThrow(InvalidBase64UrlError)
})
