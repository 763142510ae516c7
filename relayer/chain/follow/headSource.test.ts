import { expect, test } from 'vitest'
import type { Rpc } from '../rpc/rpc.ts'
import type { RpcHeader } from '../rpc/rpcBlock.ts'
import { createHeadSource } from './headSource.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const hashOf = (id: number) => `0x${id.toString(16).padStart(64, '0')}` as const
const raw = (number: number, id: number) => ({
  number: `0x${number.toString(16)}`,
  hash: hashOf(id),
  parentHash: hashOf(0),
  timestamp: '0x1',
})
const headerOf = (number: number, id: number): RpcHeader => ({
  number,
  hash: hashOf(id),
  parentHash: hashOf(0),
  time: 1,
  logsBloom: null,
})

/** A source over a connection and a clock that the test moves by hand. */
function stage() {
  const questions: ((answer: unknown) => void)[] = []
  const timers: { readonly ms: number; readonly action: () => void }[] = []
  const announced: (readonly [id: number, seenMonotonic: number])[] = []
  let say: (header: RpcHeader, seenMonotonic: number) => void = () => {}
  let connected = () => {}
  const rpc: Rpc = {
    url: 'ws://127.0.0.1:1',
    request: () => new Promise((resolve) => questions.push(resolve)),
    onHeads: (listener) => {
      say = listener
    },
    onConnected: (listener) => {
      connected = listener
    },
    close() {},
  }
  const source = createHeadSource(rpc, {
    pollInterval: 1_000,
    clock: { wall: () => 0, monotonic: () => 5 },
    schedule(ms, action) {
      const timer = { ms, action }
      timers.push(timer)
      return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1))
    },
    log: quiet,
    announce: ({ header, seenMonotonic }) => announced.push([Number(header.hash), seenMonotonic]),
  })
  const answer = async (number: number, id: number) => {
    questions.shift()?.(raw(number, id))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const fire = () => timers.shift()?.action()
  return {
    source,
    announced,
    timers,
    questions,
    answer,
    fire,
    say: (header: RpcHeader, at: number) => say(header, at),
    connected: () => connected(),
  }
}

test('a head is reported once, however it comes, and announcements count only after a first answer', async () => {
  const { announced, answer, say, fire } = stage()
  say(headerOf(9, 99), 1)
  await answer(1, 11)
  say(headerOf(1, 11), 7)
  say(headerOf(2, 12), 8)
  fire()
  await answer(2, 12)
  expect(announced).toEqual([
    [11, 5],
    [12, 8],
  ])
})

test('an answer that an announcement has overtaken is not reported: it may name a block that was replaced', async () => {
  const { announced, answer, say, fire } = stage()
  await answer(1, 11)
  fire()
  say(headerOf(1, 21), 7)
  await answer(1, 11)
  expect(announced.map(([id]) => id)).toEqual([11, 21])
})

test('each announcement puts off the next poll; reconnection polls at once', async () => {
  const { timers, answer, say, connected, questions } = stage()
  await answer(1, 11)
  const [first] = timers
  say(headerOf(2, 12), 7)
  expect(timers).toHaveLength(1)
  expect(timers[0]).not.toBe(first)
  expect(questions).toHaveLength(0)
  connected()
  expect(questions).toHaveLength(1)
})

test('asked to, it polls soon and reports the same head again', async () => {
  const { announced, answer, source, timers, fire } = stage()
  await answer(1, 11)
  source.again(50)
  expect(timers.map(({ ms }) => ms)).toEqual([50])
  fire()
  await answer(1, 11)
  expect(announced).toHaveLength(2)
})
