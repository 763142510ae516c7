import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  derTag,
  readChildren,
  readContent,
  readDer,
  readInteger,
  readOid,
  readTime,
} from '../../protocol/x509/der.ts'
import {
  bitString,
  der,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  sequenceOf,
  time,
  toPem,
  unsignedInteger,
} from './der.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('vectors', () => {
  expect(hex(sequence())).toBe('3000')
  expect(hex(integer(0))).toBe('020100')
  expect(hex(integer(127))).toBe('02017f')
  expect(hex(integer(128))).toBe('02020080')
  expect(hex(integer(Number.MAX_SAFE_INTEGER))).toBe('02071fffffffffffff')
  expect(hex(unsignedInteger(Uint8Array.of(0, 0, 0x7f)))).toBe('02017f')
  expect(hex(unsignedInteger(Uint8Array.of()))).toBe('020100')
  expect(hex(bitString(Uint8Array.of(0x80), 7))).toBe('03020780')
  expect(hex(objectIdentifier('0.9.2342.19200300.100.1.1'))).toBe('060a0992268993f22c640101')
  expect(hex(objectIdentifier('2.999.3'))).toBe('0603883703')
  expect(Buffer.from(readContent(readDer(time(0), ''), derTag.utcTime, '')).toString()).toBe('700101000000Z')
  expect(time(Date.UTC(2049, 11, 31, 23, 59, 59, 999))[0]).toBe(derTag.utcTime)
  expect(time(Date.UTC(2050, 0, 1))[0]).toBe(derTag.generalizedTime)
})

test.each([0, 1, 127, 128, 255, 256, 65_535, 65_536, 1_000_000])('%i octets come back', (length) => {
  const content = new Uint8Array(length).fill(7)
  expect(readContent(readDer(octetString(content), 'test'), derTag.octetString, 'test')).toEqual(content)
})

test('what is written is read', () => {
  const arc = fc.integer({ min: 0, max: 2 ** 28 - 1 })
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 39 }),
      fc.array(arc, { minLength: 1, maxLength: 8 }),
      (second, arcs) => {
        const dotted = ['1', second, ...arcs].join('.')
        expect(readOid(readDer(objectIdentifier(dotted), 'test'), 'test')).toBe(dotted)
      },
    ),
  )
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const octets = readInteger(readDer(integer(value), 'test'), 'test')
      expect(Number(BigInt(`0x${hex(octets)}`))).toBe(value)
    }),
  )
  const seconds = fc.integer({ min: 0, max: Date.UTC(2200, 0, 1) / 1000 })
  fc.assert(
    fc.property(seconds, (second) => {
      expect(readTime(readDer(time(second * 1000 + 999), 'test'), 'test')).toBe(second * 1000)
    }),
  )
})

test('a sequence takes more elements than a call can have arguments', () => {
  const element = der(derTag.boolean, Uint8Array.of(0xff))
  const many = sequenceOf(Array.from({ length: 300_000 }, () => element))
  expect(readChildren(readDer(many, 'test'), derTag.sequence, 'test')).toHaveLength(300_000)
})

test('PEM has lines of 64 characters and no empty one', () => {
  expect(toPem('X', new Uint8Array(48))).toBe(`-----BEGIN X-----\n${'A'.repeat(64)}\n-----END X-----\n`)
  expect(toPem('X', new Uint8Array(49))).toBe(`-----BEGIN X-----\n${'A'.repeat(64)}\nAA==\n-----END X-----\n`)
})
