import { UserRejectedRequestError } from 'viem'
import { expect, test, vi } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import { type KillOrder, killOrderDigest } from '../../protocol/order.ts'
import { agentTarget, ownerTarget } from '../../protocol/scope.ts'
import type { KillsView } from '../api/killsFollower.ts'
import { type Kill, RelayerDownError } from '../api/relayerApi.ts'
import { TransactionFailedError, TransactionReplacedError } from '../chain/writeErrors.ts'
import { createStore } from '../store.ts'
import { createStopper, type StopWish } from './stopper.ts'

const account = `0x${'aa'.repeat(20)}` as const
const uuid = '00000000-0000-8000-8000-000000000001'
const deployment = { chainId: 31337, contract: `0x${'cc'.repeat(20)}` } as const
const wish: StopWish = {
  account,
  target: agentTarget(uuid),
  spiffeId: `spiffe://killswitch.local/trader/${uuid}`,
  label: 'trader',
  agents: 1,
  reason: 1,
  text: 'key leaked',
  way: 'signature',
}
const killWith = (
  id: string,
  allConfirmed: number | null,
  txHash: string | null = null,
  digest: string | null = null,
) =>
  ({
    id,
    digest,
    state: 'enforced',
    timeline: { txHash },
    elapsed: { allConfirmed },
    points: [],
  }) as unknown as Kill

/** A stopper whose wallet and relayer do as told. */
function world() {
  const view = createStore<KillsView>({ kills: [], isRead: true, live: true, error: null })
  const wallet = {
    goToChain: vi.fn(async () => {}),
    signOrder: vi.fn(async () => '0x5151' as const),
  }
  const api = { sendOrder: vi.fn(async () => 'kill-1') }
  const writes = {
    send: vi.fn(async () => '0xface' as const),
    landed: vi.fn(async () => ({ block: 7n, txHash: '0xface' as Hex })),
  }
  const refresh = vi.fn(async () => {})
  let clock = 0
  const stopper = createStopper({
    deployment,
    api,
    kills: { view, refresh, start() {} },
    writes: writes as never,
    wallet,
    blockTime: () => null,
    onLanded: () => {},
    now: () => 1_800_000_000_000,
    monotonic: () => clock,
  })
  const until = (step: string) => vi.waitFor(() => expect(stopper.run.get()?.step).toBe(step))
  return {
    stopper,
    wallet,
    api,
    refresh,
    writes,
    until,
    tell: (...kills: readonly Kill[]) => view.set({ kills, isRead: true, live: true, error: null }),
    pass: (ms: number) => {
      clock += ms
    },
  }
}

test('a signed stop goes to the right chain, is signed, sent, and followed to the last confirmation', async () => {
  const { stopper, wallet, api, until, tell, pass } = world()
  stopper.start(wish)
  await until('followed')
  expect(wallet.goToChain).toHaveBeenCalledBefore(wallet.signOrder)
  const [order, signature, spiffeId] = api.sendOrder.mock.calls[0] as unknown as [never, string, string]
  expect([signature, spiffeId]).toEqual(['0x5151', wish.spiffeId])
  expect(stopper.run.get()).toMatchObject({ killId: 'kill-1', digest: killOrderDigest(deployment, order) })
  tell(killWith('kill-1', null))
  expect(stopper.run.get()).toMatchObject({ kill: { id: 'kill-1' }, confirmedAfter: null })
  pass(40)
  tell(killWith('kill-1', 12))
  pass(40)
  tell(killWith('kill-1', 12))
  expect(stopper.run.get()?.confirmedAfter).toBe(40)
})

test("nobody else's kill is taken for it", async () => {
  const { stopper, until, tell } = world()
  stopper.start(wish)
  await until('followed')
  tell(killWith('kill-2', 5))
  expect(stopper.run.get()).toMatchObject({ kill: null, confirmedAfter: null })
})

test.each([
  ['one agent', wish.target, 'kill', [0, wish.target.subject, 1, 'key leaked']],
  ['a wallet', ownerTarget(account), 'emergencyKill', [account, 1, 'key leaked']],
])('%s is stopped by its own call, and the kill known by its transaction', async (_, target, name, args) => {
  const { stopper, writes, api, until, tell } = world()
  stopper.start({ ...wish, target, way: 'transaction' })
  await until('landing')
  expect(writes.send).toHaveBeenCalledWith(account, name, args)
  expect(api.sendOrder).not.toHaveBeenCalled()
  tell(killWith('from-block', 3, '0xface'))
  expect(stopper.run.get()).toMatchObject({ killId: 'from-block', step: 'followed' })
  await vi.waitFor(() => expect(stopper.run.get()?.block).toBe(7n))
})

test('a rejected signature sends nothing and says that nothing has changed', async () => {
  const { stopper, wallet, api, until } = world()
  wallet.signOrder.mockRejectedValueOnce(new UserRejectedRequestError(new Error('no')))
  stopper.start(wish)
  await until('failed')
  expect(stopper.run.get()?.failure?.kind).toBe('rejected')
  expect(api.sendOrder).not.toHaveBeenCalled()
})

test('an order that did not get through is sent again as it is, without another signature', async () => {
  const { stopper, wallet, api, until } = world()
  api.sendOrder.mockRejectedValueOnce(new RelayerDownError('https://relayer.example', 'cannot be reached'))
  stopper.start(wish)
  await until('failed')
  expect(stopper.run.get()?.failure?.kind).toBe('relayer down')
  stopper.sendAgain()
  await until('followed')
  expect(wallet.signOrder).toHaveBeenCalledTimes(1)
  expect(api.sendOrder.mock.calls[1]).toEqual(api.sendOrder.mock.calls[0])
})

test('a kill whose answer was lost on its way is known by its order', async () => {
  const { stopper, api, until, tell } = world()
  api.sendOrder.mockRejectedValueOnce(new RelayerDownError('https://relayer.example', 'gave no answer'))
  stopper.start(wish)
  await until('failed')
  tell(killWith('kill-2', 5, null, `0x${'99'.repeat(32)}`))
  expect(stopper.run.get()?.step).toBe('failed')
  tell(killWith('kill-1', 5, null, stopper.run.get()?.digest))
  expect(stopper.run.get()).toMatchObject({ step: 'followed', failure: null, killId: 'kill-1' })
})

test('the late end of an earlier stop does not touch the present one', async () => {
  const { stopper, wallet, until } = world()
  let reject = (_: Error): void => {}
  wallet.signOrder.mockReturnValueOnce(
    new Promise((_, no) => {
      reject = no
    }),
  )
  stopper.start(wish)
  await vi.waitFor(() => expect(wallet.signOrder).toHaveBeenCalledTimes(1))
  stopper.start({ ...wish, label: 'the second' })
  await until('followed')
  reject(new UserRejectedRequestError(new Error('no')))
  await new Promise(setImmediate)
  expect(stopper.run.get()).toMatchObject({ label: 'the second', step: 'followed', failure: null })
})

test('a transaction that is sent is not called failed because the node says nothing of it any more', async () => {
  const { stopper, writes, until, tell } = world()
  writes.landed.mockRejectedValueOnce(new Error('the node is gone'))
  stopper.start({ ...wish, way: 'transaction' })
  await until('landing')
  await new Promise(setImmediate)
  tell(killWith('from-block', 3, '0xface'))
  expect(stopper.run.get()).toMatchObject({ step: 'followed', failure: null, confirmedAfter: 0 })
})

test('a transaction that did nothing is called failed', async () => {
  const { stopper, writes, until } = world()
  writes.landed.mockRejectedValueOnce(new TransactionFailedError('0xface'))
  stopper.start({ ...wish, way: 'transaction' })
  await until('failed')
  expect(stopper.run.get()?.failure?.kind).toBe('contract refused')
})

test('a transaction that was cancelled in the wallet stops nothing, and that is said', async () => {
  const { stopper, writes, until } = world()
  writes.landed.mockRejectedValueOnce(new TransactionReplacedError('0xface', '0xbeef'))
  stopper.start({ ...wish, way: 'transaction' })
  await until('failed')
  expect(stopper.run.get()?.failure?.title).toBe('Your wallet replaced the transaction')
})

test('a transaction that was sped up in the wallet is followed by its other hash', async () => {
  const { stopper, writes, until, tell } = world()
  writes.landed.mockResolvedValueOnce({ block: 8n, txHash: '0xbeef' })
  stopper.start({ ...wish, way: 'transaction' })
  await until('landing')
  await vi.waitFor(() => expect(stopper.run.get()?.block).toBe(8n))
  tell(killWith('from-block', 3, '0xbeef'))
  expect(stopper.run.get()).toMatchObject({ step: 'followed', killId: 'from-block' })
})

test('a stop whose place another took leaves the questions for that one alone', async () => {
  vi.useFakeTimers()
  try {
    const { stopper, wallet, api, refresh } = world()
    const late = Promise.withResolvers<'0x5151'>()
    wallet.signOrder.mockImplementationOnce(() => late.promise)
    stopper.start(wish)
    await vi.advanceTimersByTimeAsync(0)
    stopper.start({ ...wish, target: ownerTarget(account), spiffeId: null })
    await vi.advanceTimersByTimeAsync(0)
    expect(stopper.run.get()?.step).toBe('followed')
    late.resolve('0x5151')
    await vi.advanceTimersByTimeAsync(0)
    expect(api.sendOrder).toHaveBeenCalledTimes(2)
    refresh.mockClear()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(refresh).toHaveBeenCalled()
    stopper.dismiss()
  } finally {
    vi.useRealTimers()
  }
})

test('an order that is signed late, after another stop took its place, is sent, but never in the place of that one', async () => {
  const { stopper, wallet, api, until } = world()
  const late = Promise.withResolvers<'0x5151'>()
  wallet.signOrder.mockImplementationOnce(() => late.promise)
  stopper.start(wish)
  await vi.waitFor(() => expect(wallet.signOrder).toHaveBeenCalledOnce())
  stopper.dismiss()
  const other = { ...wish, target: ownerTarget(account), spiffeId: null }
  api.sendOrder.mockRejectedValueOnce(new RelayerDownError('https://relayer.example', 'gave no answer'))
  stopper.start(other)
  await until('failed')
  late.resolve('0x5151')
  await vi.waitFor(() => expect(api.sendOrder).toHaveBeenCalledTimes(2))
  stopper.sendAgain()
  await until('followed')
  const subjects = api.sendOrder.mock.calls.map(([order]: readonly unknown[]) => (order as KillOrder).subject)
  expect(subjects).toEqual([other.target.subject, wish.target.subject, other.target.subject])
})
