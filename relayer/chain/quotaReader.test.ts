import { decodeFunctionData, numberToHex, pad } from 'viem'
import { expect, test } from 'vitest'
import { subscriptionsAbi } from '../../protocol/generated/subscriptionsAbi.ts'
import type { Hex } from '../../protocol/hex.ts'
import { createVirtualTime } from '../../test/chain/fakeChain.ts'
import { createQuotaReader } from './quotaReader.ts'
import { RpcUnavailableError } from './rpc/rpcErrors.ts'

const contract: Hex = `0x${'5b'.repeat(20)}`
const alice: Hex = `0x${'a1'.repeat(20)}`
const bob: Hex = `0x${'b0'.repeat(20)}`
const quota = (n: number) => pad(numberToHex(n))
const dead = new RpcUnavailableError('http://127.0.0.1:1', 'eth_call', 'dead')
const hour = 3_600_000

/** A reader of RPCs that answer as they are told; the grant point is block `at`. */
function world(...answers: readonly unknown[]) {
  const time = createVirtualTime(0)
  let said = answers
  let at = 1
  const asked: { readonly owner: Hex; readonly block: unknown; readonly to: unknown }[] = []
  const errors: string[] = []
  const reader = createQuotaReader({
    rpcs: answers.map((_, i) => `http://127.0.0.1:${i + 1}`),
    chainId: 31337,
    contract,
    grantPoint: () => ({ number: at, hash: `0x${at}`, time: at }),
    ...time,
    log: { debug() {}, info() {}, warn() {}, error: (_, text) => errors.push(text) },
    connect: (url) => ({
      url,
      async request(_method, params) {
        if (params.length === 0) return numberToHex(31337)
        const [call, block] = params as readonly [{ to: unknown; data: Hex }, unknown]
        const { args } = decodeFunctionData({ abi: subscriptionsAbi, data: call.data })
        asked.push({ owner: String(args?.[0]).toLowerCase() as Hex, block, to: call.to })
        const answer = said[Number(new URL(url).port) - 1]
        if (answer instanceof Error) throw answer
        return answer
      },
      onHeads() {},
      onConnected() {},
      close() {},
    }),
  })
  /** What is told of a wallet, once the RPCs have had their time. */
  const ask = async (owner = alice): Promise<number | null | 'nothing'> => {
    let told: number | null | 'nothing' = 'nothing'
    void reader.quotaOf(owner).then((quotaTold) => {
      told = quotaTold
    })
    await time.pass(5_000)
    return told
  }
  return {
    reader,
    ask,
    asked,
    errors,
    pass: time.pass,
    say: (...next: readonly unknown[]) => {
      said = next
    },
    move: () => {
      at += 1
    },
  }
}

test.each([
  ['one tells it', [quota(3)], 3],
  ['a liar is asked first', [quota(9_999), quota(3), quota(3)], 3],
  ['one is dead', [dead, quota(7), quota(7)], 7],
  ['two contradict each other', [quota(3), quota(4)], null],
  ['none answers', [dead, dead, dead], null],
  ['there is no such contract', ['0x'], null],
  ['the answer is no number of 32 bits', [`0x${'ff'.repeat(32)}`], null],
])('%s', async (_, answers, expected) => {
  const w = world(...answers)
  expect(await w.ask()).toBe(expected)
  expect([w.reader.failure() === null, w.reader.unknown()]).toEqual(
    expected === null ? [false, 1] : [true, 0],
  )
})

test('asks the contract at the grant point, once for each wallet and grant point', async () => {
  const w = world(quota(3))
  const both = [w.reader.quotaOf(alice), w.reader.quotaOf(alice)]
  await w.pass(5_000)
  expect(await Promise.all(both)).toEqual([3, 3])
  await w.ask()
  expect(w.asked).toEqual([{ owner: alice, block: { blockHash: '0x1' }, to: contract }])
  await w.ask(bob)
  w.move()
  w.say(quota(10))
  expect(await w.ask()).toBe(10)
  expect(w.asked.slice(1).map(({ owner, block }) => [owner, block])).toEqual([
    [bob, { blockHash: '0x1' }],
    [alice, { blockHash: '0x2' }],
  ])
})

test('what was told last holds for an hour of silence, and then nothing is known', async () => {
  const w = world(quota(3))
  await w.ask()
  w.say(dead)
  w.move()
  await w.pass(hour - 10_000)
  expect([await w.ask(), await w.ask(bob)]).toEqual([3, null])
  await w.pass(1)
  expect(await w.ask()).toBe(null)
  expect(w.reader.unknown()).toBe(2)
  expect(w.errors).toEqual(['quotas cannot be read'])
  w.say(quota(5))
  expect([await w.ask(), w.reader.failure()]).toEqual([5, null])
})
