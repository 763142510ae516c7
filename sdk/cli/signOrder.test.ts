import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { verifyTypedData } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { killOrderTypedData } from '../../protocol/order.ts'
import { agentTarget } from '../../protocol/scope.ts'
import { orderFileText, readOrderFile } from './orderFile.ts'
import { createOrder, signOrder } from './signOrder.ts'

const account = privateKeyToAccount(`0x${'11'.repeat(32)}`)
const deployment = { chainId: 31337, contract: `0x${'ab'.repeat(20)}` } as const
const uuid = '0198c0de-0000-8000-8000-000000000001'
const target = agentTarget(uuid)
const now = 1_800_000_000
const folder = mkdtempSync(path.join(tmpdir(), 'killswitch-order-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('an order is signed for the deployment, lives for a day and has a nonce of its own', async () => {
  const [order, other] = [0, 0].map(() => createOrder(account, target, 1, 'why', now + 0.7))
  if (order === undefined || other === undefined) throw new Error('unreachable')
  expect(order).toMatchObject({ ...target, reason: 1, issuedAt: BigInt(now), deadline: BigInt(now + 86_400) })
  expect(order.nonce).not.toBe(other.nonce)
  const signature = await signOrder(account, deployment, order, now)
  const { address } = account
  expect(await verifyTypedData({ ...killOrderTypedData(deployment, order), address, signature })).toBe(true)
  const elsewhere = killOrderTypedData({ ...deployment, chainId: 1 }, order)
  expect(await verifyTypedData({ ...elsewhere, address, signature })).toBe(false)
})

test('a slow clock follows the chain, as far as every verifier still takes it', () => {
  const issuedAt = (blockTime?: number) => createOrder(account, target, 0, '', now, blockTime).issuedAt
  expect(issuedAt(now - 100)).toBe(BigInt(now))
  expect(issuedAt(now + 10)).toBe(BigInt(now + 10))
  expect(issuedAt(now + 9999)).toBe(BigInt(now + 30))
})

test('what nobody would take is not signed', () => {
  const order = { ...createOrder(account, target, 0xff00, '', now) }
  expect(() => signOrder(account, deployment, order, now)).toThrow('order.reason')
})

test('an order file comes back as it was, and a changed one does not', async () => {
  const order = createOrder(account, target, 3, 'Grüße "x"\nline two', now)
  const spiffeId = `spiffe://killswitch.test/trader/${uuid}`
  const signed = { deployment, spiffeId, order, signature: await signOrder(account, deployment, order, now) }
  const file = path.join(folder, 'order.json')
  writeFileSync(file, orderFileText(signed))
  expect(readOrderFile(file)).toEqual(signed)

  const change = (edit: (content: Record<string, unknown>) => void) => {
    const content = JSON.parse(orderFileText(signed)) as Record<string, unknown>
    edit(content)
    writeFileSync(file, JSON.stringify(content))
    return () => readOrderFile(file)
  }
  const fieldsOf = (content: Record<string, unknown>) => content.order as Record<string, unknown>
  expect(change((content) => Object.assign(fieldsOf(content), { reason: 1 }))).toThrow('the file was changed')
  expect(change((content) => Object.assign(fieldsOf(content), { nonce: -1 }))).toThrow('nonce in')
  expect(change((content) => Object.assign(content, { deployment: 'x' }))).toThrow('deployment in')
  expect(change((content) => Object.assign(content, { signature: '0x1' }))).toThrow('signature in')
  expect(change((content) => Object.assign(content, { order: null }))).toThrow('is no order file')
  writeFileSync(file, 'null')
  expect(() => readOrderFile(file)).toThrow('is no order file')
})
