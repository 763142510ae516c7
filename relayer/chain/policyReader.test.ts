import { encodeAbiParameters, encodeEventTopics, numberToHex, pad } from 'viem'
import { expect, test } from 'vitest'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import type { Hex } from '../../protocol/hex.ts'
import { initialPolicy } from '../../protocol/policy/killPolicy.ts'
import { encodePolicy, policyWord } from '../../protocol/policy/policyLog.ts'
import { createVirtualTime } from '../../test/chain/fakeChain.ts'
import { isUnread, policyInForce, policyVersions } from '../policy/mirror.ts'
import { createPolicyReader } from './policyReader.ts'
import { RpcUnavailableError } from './rpc/rpcErrors.ts'

const contract: Hex = `0x${'b0'.repeat(20)}`
const dead = new RpcUnavailableError('http://127.0.0.1:1', 'eth_getLogs', 'dead')

/** A chain of which each node has blocks up to its head, and of which it may have lost the logs of some. */
type FakeNode = {
  head: number
  lost: readonly number[]
  dead?: boolean
  /** How many ranges it gives before it dies. */
  diesAfter?: number | null
}

const hashOf = (number: number, fork = 0): Hex => pad(numberToHex(number + 1_000 * (fork + 1)))
const blockOf = (number: number, fork = 0) => ({
  number: numberToHex(number),
  hash: hashOf(number, fork),
  parentHash: hashOf(number - 1, fork),
  timestamp: numberToHex(1_800_000_000 + number),
})
const mark = (number: number) => ({ number, hash: hashOf(number), time: 1_800_000_000 + number })

/** The default of `version`, which allows for that many failures. */
const logOf = (number: number, version: number, consecutiveFailures: number) => ({
  address: contract,
  topics: encodeEventTopics({
    abi: killPoliciesAbi,
    eventName: 'PolicySet',
    args: { agentType: policyWord(null) },
  }),
  data: encodeAbiParameters(
    [{ type: 'uint64' }, { type: 'uint16' }, { type: 'bool' }, { type: 'bytes' }],
    [
      BigInt(version),
      1,
      false,
      encodePolicy({ ...initialPolicy, limits: { ...initialPolicy.limits, consecutiveFailures } }),
    ],
  ),
  blockHash: hashOf(number),
  blockNumber: numberToHex(number),
  transactionHash: hashOf(number, 5),
  logIndex: '0x0',
})

/** A reader over nodes; the relayer stands at `grantPoint` and `head`. */
function world(votes: Readonly<Record<number, number>>, ...nodes: readonly FakeNode[]) {
  const time = createVirtualTime(0)
  const logs = Object.entries(votes).map(([number, failures], i) => logOf(Number(number), i + 1, failures))
  let grantPoint = mark(0)
  let head = mark(0)
  let blind = false
  const asked: string[] = []
  const errors: string[] = []
  const reader = createPolicyReader({
    rpcs: nodes.map((_, i) => `http://127.0.0.1:${i + 1}`),
    chainId: 31337,
    contract,
    startBlock: 1,
    view: () => ({ head, grantPoint, blind }),
    ...time,
    log: { debug() {}, info() {}, warn() {}, error: (_, text) => errors.push(text) },
    connect: (url) => ({
      url,
      async request(method, params) {
        if (method === 'eth_chainId') return numberToHex(31337)
        const node = nodes[Number(new URL(url).port) - 1] as FakeNode
        if (node.dead === true || (node.diesAfter != null && asked.length >= node.diesAfter)) throw dead
        if (method === 'eth_getBlockByNumber') {
          const number = Number(params[0])
          return number <= node.head ? blockOf(number) : null
        }
        const [{ fromBlock, toBlock }] = params as readonly [{ fromBlock: Hex; toBlock: Hex }]
        asked.push(`${Number(fromBlock)} to ${Number(toBlock)}`)
        return logs.filter(({ blockNumber }) => {
          const number = Number(blockNumber)
          return (
            number >= Number(fromBlock) &&
            number <= Math.min(Number(toBlock), node.head) &&
            !node.lost.includes(number)
          )
        })
      },
      onHeads() {},
      onConnected() {},
      close() {},
    }),
  })
  return {
    reader,
    asked,
    errors,
    pass: time.pass,
    /** Reads once, with the relayer there. */
    async readAt(granted: number, seen = granted, fork = 0) {
      grantPoint = { ...mark(granted), hash: hashOf(granted, fork) }
      head = mark(seen)
      void reader.read()
      await time.pass(5_000)
    },
    goBlind(now: boolean) {
      blind = now
    },
    /** The versions seen, and the failures in force; null while nothing is. */
    says() {
      const mirror = reader.mirror()
      return {
        versions: policyVersions(mirror).map(({ version }) => version),
        failures: isUnread(mirror) ? null : policyInForce(mirror, null).limits.consecutiveFailures,
        failure: reader.failure()?.name ?? null,
      }
    },
  }
}

const fine = (head = 100): FakeNode => ({ head, lost: [] })

test('a node that has not reached the range’s end is not believed when it has no logs of it', async () => {
  const node = { head: 50, lost: [] }
  const w = world({ 2: 10, 80: 3 }, node)
  await w.readAt(50)
  expect(w.says()).toEqual({ versions: [1], failures: 10, failure: null })
  await w.readAt(90)
  expect(w.says()).toEqual({ versions: [1], failures: 10, failure: 'InconsistentRpcError' })
  node.head = 95
  await w.readAt(90)
  expect(w.says()).toEqual({ versions: [1, 2], failures: 3, failure: null })
})

test('nor for what is not granted yet', async () => {
  const node = { head: 50, lost: [] }
  const w = world({ 2: 10, 80: 3 }, node)
  await w.readAt(40, 90)
  expect(w.says()).toMatchObject({ failure: 'InconsistentRpcError' })
  node.head = 90
  await w.readAt(40, 90)
  expect(w.says()).toEqual({ versions: [1, 2], failures: 3, failure: null })
})

test.each([
  ['one behind and two that are there', [fine(50), fine(), fine()], [1, 2], null],
  [
    'one behind and one that has lost the logs',
    [fine(50), { head: 100, lost: [80] }, fine()],
    [],
    'InconsistentRpcError',
  ],
  ['two behind', [fine(50), fine(50), fine()], [], 'InconsistentRpcError'],
  ['one dead and one behind', [{ ...fine(), dead: true }, fine(50), fine()], [], 'InconsistentRpcError'],
] as const)('of three nodes: %s', async (_, nodes, versions, failure) => {
  const w = world({ 2: 10, 80: 3 }, ...nodes)
  await w.readAt(90)
  expect(w.says()).toMatchObject({ versions, failure })
})

test('only what is of the relayer’s own chain is granted', async () => {
  const w = world({ 2: 10 }, fine())
  await w.readAt(50, 50, 1)
  expect(w.says()).toMatchObject({ versions: [], failure: 'InconsistentRpcError' })
  await w.readAt(50)
  expect(w.says()).toMatchObject({ versions: [1], failure: null })
})

test('events that are missing are read anew from the beginning, and what was known holds meanwhile', async () => {
  const node: FakeNode = { head: 100, lost: [20] }
  const w = world({ 2: 10, 20: 3, 60: 5 }, node)
  await w.readAt(50)
  expect(w.says()).toEqual({ versions: [1], failures: 10, failure: null })
  node.lost = []
  await w.readAt(90)
  expect(w.says()).toEqual({ versions: [1, 2, 3], failures: 5, failure: null })
  expect(w.asked).toEqual(['1 to 50', '51 to 90', '1 to 90'])
})

test('events that stay missing are asked for once in ten minutes', async () => {
  const node: FakeNode = { head: 100, lost: [20] }
  const w = world({ 2: 10, 20: 3, 60: 5 }, node)
  await w.readAt(50)
  for (let i = 0; i < 3; i++) await w.readAt(90)
  expect(w.says()).toEqual({ versions: [1], failures: 10, failure: 'PolicyGapError' })
  expect(w.asked).toEqual(['1 to 50', '51 to 90', '1 to 90'])
  expect(w.errors).toEqual(['kill policies cannot be read'])
  await w.pass(600_000)
  for (let i = 0; i < 3; i++) await w.readAt(90)
  expect(w.asked.slice(3)).toEqual(['1 to 90', '1 to 90'])
  node.lost = []
  await w.pass(600_000)
  await w.readAt(90)
  expect(w.says()).toEqual({ versions: [1, 2, 3], failures: 5, failure: null })
})

test('an outage while all is read anew ends with the outage', async () => {
  const node: FakeNode = { head: 100, lost: [20] }
  const w = world({ 2: 10, 20: 3, 60: 5 }, node)
  await w.readAt(50)
  node.diesAfter = w.asked.length + 1
  await w.readAt(90)
  expect(w.says()).toEqual({ versions: [1], failures: 10, failure: 'RpcUnavailableError' })
  node.diesAfter = null
  node.lost = []
  await w.readAt(90)
  expect(w.says()).toEqual({ versions: [1, 2, 3], failures: 5, failure: null })
})

test('it says how far it has read, also while it cannot read on', async () => {
  const node = fine(60)
  const w = world({ 2: 10, 20: 3 }, node)
  expect(w.reader.standing()).toBe(null)
  await w.readAt(50, 60)
  expect(w.reader.standing()).toEqual({ readTo: mark(60), grantedTo: mark(50) })
  await w.readAt(60)
  expect(w.reader.standing()).toEqual({ readTo: mark(60), grantedTo: mark(60) })
  await w.readAt(70, 80)
  expect(w.reader.standing()).toEqual({ readTo: mark(60), grantedTo: mark(60) })
  node.head = 80
  await w.readAt(70, 80)
  expect(w.reader.standing()).toEqual({ readTo: mark(80), grantedTo: mark(70) })
})

test('a relayer that sees no new head knows of no later policies, although nothing fails', async () => {
  const w = world({ 2: 10 }, fine())
  await w.readAt(50)
  w.goBlind(true)
  await w.readAt(50)
  expect(w.says()).toEqual({ versions: [1], failures: 10, failure: 'PoliciesUnseenError' })
  expect(w.reader.failure()?.message).toMatch(/no new block after 50 for too long/)
  w.goBlind(false)
  expect(w.says().failure).toBe(null)
})

test('what is missing soon after all was read anew waits for the next time', async () => {
  const node: FakeNode = { head: 100, lost: [20] }
  const w = world({ 2: 10, 20: 3, 60: 5, 70: 4, 80: 6 }, node)
  await w.readAt(50)
  node.lost = []
  await w.readAt(65)
  expect(w.says()).toEqual({ versions: [1, 2, 3], failures: 5, failure: null })
  node.lost = [70]
  await w.readAt(75)
  node.lost = []
  await w.readAt(85)
  expect(w.says()).toEqual({ versions: [1, 2, 3], failures: 5, failure: 'PolicyGapError' })
  await w.pass(600_000)
  await w.readAt(85)
  expect(w.says()).toEqual({ versions: [1, 2, 3, 4, 5], failures: 6, failure: null })
})
