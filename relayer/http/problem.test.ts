import { expect, test } from 'vitest'
import { OrderRefusedError } from '../kill/orderRefused.ts'
import { problemFor } from './problem.ts'

// docs/protocol.md, HTTP: the table of refused orders.
test.each([
  ['not authorized', 403, 'not-authorized'],
  ['unknown agent', 404, 'unknown-agent'],
  ['unknown wallet', 404, 'unknown-wallet'],
  ['replayed', 409, 'nonce-used'],
  ['burnt', 410, 'order-burnt'],
  ['superseded', 410, 'order-superseded'],
  ['bad signature', 422, 'bad-signature'],
] as const)('an order that is refused as %s is answered with %i %s', (kind, status, slug) => {
  const error = new OrderRefusedError(kind, 'order.nonce', 7, 'sign a new order')
  expect(problemFor(error)).toEqual({
    type: `https://killswitch.ai/problems/${slug}`,
    title: expect.any(String),
    status,
    detail: 'sign a new order',
    field: 'order.nonce',
    value: '7',
  })
})

test('an error that nobody foresaw is no problem document', () => {
  expect(problemFor(new Error('boom'))).toBeNull()
})
