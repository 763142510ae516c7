import { expect, test } from 'vitest'
import { durationText, millisecondsText, timeText } from './duration.ts'
import { printable } from './printable.ts'

test('spans of time have at most two units', () => {
  expect([0, -3, 1, 59, 60, 61, 3600, 3661, 90_000, 86_400 * 30].map(durationText)).toEqual([
    '0 s',
    '0 s',
    '1 s',
    '59 s',
    '1 min',
    '1 min 1 s',
    '1 h',
    '1 h 1 min',
    '1 d 1 h',
    '30 d',
  ])
  expect(durationText(0.2)).toBe('1 s')
  expect(millisecondsText(41.4)).toBe('41 ms')
  expect(millisecondsText(1240)).toBe('1.2 s')
  expect(timeText(0)).toBe('1970-01-01T00:00:00Z')
})

test('a terminal never gets control characters of others', () => {
  expect(printable('\u001b[2Jgone\r\n')).toBe('\\u{1b}[2Jgone\\u{d}\\u{a}')
  expect(printable('a\u202egpj.exe\u009b')).toBe('a\\u{202e}gpj.exe\\u{9b}')
  expect(printable('Grüße, 世界 🚦')).toBe('Grüße, 世界 🚦')
})
