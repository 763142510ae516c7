import { expect, test } from 'vitest'
import {
  derTag,
  InvalidDerError,
  readBoolean,
  readChildren,
  readContent,
  readDer,
  readInteger,
  readOid,
  readText,
  readTime,
} from './der.ts'

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const read = (hex: string) => readDer(bytes(hex), 'test')
const ascii = (text: string): string =>
  Array.from(text, (c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join('')

test.each([
  ['nothing', ''],
  ['an identifier alone', '30'],
  ['contents cut short', '300302'],
  ['a length cut short', '3082'],
  ['an indefinite length', '30800000'],
  ['a length of four octets', '308400000000'],
  ['a long form below 128', '30810100'],
  ['a leading zero in the length', `308200ff${'00'.repeat(255)}`],
  ['trailing octets', '300000'],
  ['a tag number above 30', '1f8100'],
])('refuses %s', (_, hex) => {
  expect(() => read(hex)).toThrow(InvalidDerError)
})

test('reads nested elements and refuses a child that goes past its parent', () => {
  const children = readChildren(read('3006020101040105'), derTag.sequence, 'test')
  expect(children.map(({ tag }) => tag)).toEqual([derTag.integer, derTag.octetString])
  expect(() => readChildren(read('3003020201'), derTag.sequence, 'test')).toThrow(InvalidDerError)
  expect(() => readChildren(read('3103020101'), derTag.sequence, 'test')).toThrow('its tag is 0x31, not 0x30')
})

test('reads a long length', () => {
  expect(readContent(read(`048180${'aa'.repeat(128)}`), derTag.octetString, 'test')).toHaveLength(128)
})

test.each([
  ['empty', '0200'],
  ['padded with zero', '02020001'],
  ['padded with ones', '0202ff80'],
])('refuses an INTEGER that is %s', (_, hex) => {
  expect(() => readInteger(read(hex), 'test')).toThrow(InvalidDerError)
})

test.each([
  ['06092a864886f70d01010b', '1.2.840.113549.1.1.11'],
  ['060a0992268993f22c640101', '0.9.2342.19200300.100.1.1'],
  ['0603551d11', '2.5.29.17'],
  ['0603883703', '2.999.3'],
])('reads the OID %s', (hex, dotted) => {
  expect(readOid(read(hex), 'test')).toBe(dotted)
})

test.each([
  ['empty', '0600'],
  ['cut short', '06025580'],
  ['padded', '0603558004'],
  ['too large', '060755ffffffffff7f'],
])('refuses an OID that is %s', (_, hex) => {
  expect(() => readOid(read(hex), 'test')).toThrow(InvalidDerError)
})

test('reads BOOLEANs of DER only', () => {
  expect(readBoolean(read('0101ff'), 'test')).toBe(true)
  expect(readBoolean(read('010100'), 'test')).toBe(false)
  expect(() => readBoolean(read('010101'), 'test')).toThrow(InvalidDerError)
  expect(() => readBoolean(read('0100'), 'test')).toThrow(InvalidDerError)
})

test('reads text, not bytes that are none', () => {
  expect(readText(read('0c02c3a9'), 'test')).toBe('é')
  expect(readText(read('0c03efbbbf'), 'test')).toBe('\ufeff')
  expect(() => readText(read('0c01ff'), 'test')).toThrow('not UTF-8')
  expect(() => readText(read('1302c3a9'), 'test')).toThrow('not ASCII')
  expect(() => readText(read('1e020041'), 'test')).toThrow('no UTF8String')
})

test.each([
  ['17', '261120221500Z', Date.UTC(2026, 10, 20, 22, 15)],
  ['17', '491231235959Z', Date.UTC(2049, 11, 31, 23, 59, 59)],
  ['17', '500101000000Z', Date.UTC(1950, 0, 1)],
  ['18', '20500101000000Z', Date.UTC(2050, 0, 1)],
  ['18', '99991231235959Z', Date.UTC(9999, 11, 31, 23, 59, 59)],
])('reads the time %s %s', (tag, text, time) => {
  expect(readTime(read(`${tag}${text.length.toString(16).padStart(2, '0')}${ascii(text)}`), 'test')).toBe(
    time,
  )
})

test.each([
  ['17', '2611202215Z'],
  ['17', '261120221500+0000'],
  ['17', '261320221500Z'],
  ['17', '260631000000Z'],
  ['17', '261120241500Z'],
  ['18', '20261120221500.5Z'],
  ['18', '261120221500Z'],
  ['0c', '261120221500Z'],
])('refuses the time %s %s', (tag, text) => {
  expect(() =>
    readTime(read(`${tag}${text.length.toString(16).padStart(2, '0')}${ascii(text)}`), 'test'),
  ).toThrow(InvalidDerError)
})
