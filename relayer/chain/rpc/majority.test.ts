import { expect, test } from 'vitest'
import { createAgreement } from './majority.ts'
import type { Rpc } from './rpc.ts'
import { InconsistentRpcError, RpcResponseError, RpcUnavailableError } from './rpcErrors.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** RPCs that answer with these values; an error is thrown, a promise awaited. */
function stage(...answers: readonly unknown[]) {
  const asked: number[] = []
  const timers: (() => void)[] = []
  const rpcs = answers.map(
    (answer, i): Rpc => ({
      url: `http://127.0.0.1:${i + 1}`,
      async request() {
        asked.push(i)
        const given = await answer
        if (given instanceof Error) throw given
        return given
      },
      onHeads() {},
      onConnected() {},
      close() {},
    }),
  )
  const agree = createAgreement(
    rpcs,
    (_, action) => {
      timers.push(action)
      return () => void timers.splice(0, timers.length, ...timers.filter((one) => one !== action))
    },
    quiet,
  )
  const ask = () => agree({ method: 'm', params: [], parse: (result) => result, key: String })
  return { ask, asked, timers }
}

const dead = new RpcUnavailableError('http://127.0.0.1:1', 'm', 'dead')

test('one RPC is asked alone and believed', async () => {
  const { ask, asked, timers } = stage('a')
  expect([await ask(), asked, timers]).toEqual(['a', [0], []])
})

test('two must agree', async () => {
  expect(await stage('a', 'a').ask()).toBe('a')
  await expect(stage('a', 'b').ask()).rejects.toThrow(InconsistentRpcError)
  await expect(stage('a', dead).ask()).rejects.toThrow(RpcUnavailableError)
})

test('of three no more than two are asked, unless one fails, contradicts or is slow', async () => {
  const fine = stage('a', 'a', 'a')
  expect([await fine.ask(), fine.asked]).toEqual(['a', [0, 1]])
  const contradicted = stage('x', 'a', 'a')
  expect([await contradicted.ask(), contradicted.asked]).toEqual(['a', [0, 1, 2]])
  // The liar is asked last from then on.
  expect([await contradicted.ask(), contradicted.asked.slice(3)]).toEqual(['a', [1, 2]])
  const failing = stage(dead, 'a', 'a')
  expect([await failing.ask(), failing.asked]).toEqual(['a', [0, 1, 2]])
  const slow = stage(new Promise(() => {}), 'a', 'a')
  const answer = slow.ask()
  expect(slow.asked).toEqual([0, 1])
  slow.timers[0]?.()
  expect([await answer, slow.asked, slow.timers]).toEqual(['a', [0, 1, 2], []])
})

test("the RPC's own error is passed on, so that a range that is too large can be told from a quarrel", async () => {
  const tooLarge = new RpcResponseError('http://127.0.0.1:1', 'm', { code: -32005, message: 'too many' })
  await expect(stage(tooLarge, tooLarge, tooLarge).ask()).rejects.toBe(tooLarge)
})
