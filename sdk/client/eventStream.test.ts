import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createEventStreamReader, EventTooLargeError } from './eventStream.ts'

test('events are read alike however the stream is cut into pieces and whatever ends its lines', () => {
  const text = fc
    .string({ unit: 'grapheme-ascii', maxLength: 20 })
    .filter((value) => !/[\r\n]/.test(value) && value !== '')
  const event = fc.record({ event: text, data: fc.array(text, { minLength: 1, maxLength: 3 }) })
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 5 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.nat(200), { maxLength: 8 }),
      (events, end, cuts) => {
        const stream = events
          .map((one) =>
            [
              `: comment`,
              `id: 1`,
              `event: ${one.event}`,
              ...one.data.map((line) => `data: ${line}`),
              '',
              '',
            ].join(end),
          )
          .join('')
        // The line feed lets a carriage return at the very end count.
        const all = `${stream}${end === '\r' ? '\n' : ''}`
        const points = [0, ...cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b), all.length]
        const reader = createEventStreamReader(10_000)
        const read = points.slice(1).flatMap((point, i) => reader.push(all.slice(points[i], point)))
        expect(read).toEqual(events.map((one) => ({ event: one.event, data: one.data.join('\n') })))
      },
    ),
  )
})

test('the limit holds for one line and for one event', () => {
  expect(() => createEventStreamReader(10).push('data: 12345')).toThrow(EventTooLargeError)
  expect(() => createEventStreamReader(10).push('data: 1\ndata: 2\n')).toThrow(EventTooLargeError)
  const slow = createEventStreamReader(10)
  for (const byte of 'data: 1234') slow.push(byte)
  expect(() => slow.push('5')).toThrow(EventTooLargeError)
  expect(createEventStreamReader(10).push('data: 1\n\ndata: 2\n\n')).toHaveLength(2)
})
