import { describe, expect, test } from 'vitest'
import { createRegistry } from '../../protocol/registry.ts'
import { targetKey } from '../../protocol/scope.ts'
import { makeKill, ofOrder, settled } from '../../test/relayer/makeKill.ts'
import { createKillState, forgetSettledKills, putKill, settledAtHand } from './killState.ts'
import type { KillRecord } from './record.ts'

const stateOf = (kills: readonly KillRecord[]) => createKillState(createRegistry(), [], kills, [])
/** As many settled kills as stay at hand, numbered after `first`. */
const full = (first: number) =>
  Array.from({ length: settledAtHand }, (_, i) => makeKill(first + i, { ...settled }))

describe('settled kills', () => {
  test('are forgotten beyond the latest thousand, oldest first', () => {
    const state = stateOf([makeKill(1, settled), makeKill(2, settled), ...full(3)])
    expect(forgetSettledKills(state, 0)).toEqual(['kill-1', 'kill-2'])
    expect(state.kills.size).toBe(settledAtHand)
    expect(forgetSettledKills(state, 0)).toEqual([])
  })

  test('that are open stay, whatever their age, and keep their row', () => {
    const state = stateOf([makeKill(1), makeKill(2, settled), ...full(3)])
    expect(forgetSettledKills(state, 0)).toEqual(['kill-2', 'kill-3'])
    expect([...(state.origins.get(targetKey(makeKill(1))) ?? [])]).toEqual(['kill-1'])
  })

  test('whose order could still be repeated stay until its deadline has passed, then go with all that knew them', () => {
    const deadline = 600
    const { digest, order } = ofOrder(1, deadline)
    const state = stateOf([makeKill(1, { ...settled, digest, order }), ...full(2)])
    const nonce = `${order.message.authority}:${order.message.nonce}`
    expect(forgetSettledKills(state, deadline * 1000)).toEqual(['kill-2'])
    expect([state.byDigest.get(digest), state.nonces.get(nonce)]).toEqual(['kill-1', digest])
    putKill(state, makeKill(settledAtHand + 2, settled))
    expect(forgetSettledKills(state, deadline * 1000 + 1)).toEqual(['kill-1'])
    expect([state.byDigest.has(digest), state.nonces.has(nonce)]).toEqual([false, false])
  })

  test('of one order leave a later kill by it known', () => {
    const { digest, order } = ofOrder(1, 600)
    const state = stateOf([makeKill(1, { ...settled, digest }), ...full(2)])
    putKill(state, makeKill(settledAtHand + 2, { digest, order }))
    expect(forgetSettledKills(state, 0)).toEqual(['kill-1', 'kill-2'])
    expect(state.byDigest.get(digest)).toBe(`kill-${settledAtHand + 2}`)
  })
})
