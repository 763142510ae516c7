import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeJournal } from '../../test/relayer/makeJournal.ts'
import { makeKill, ofOrder, settled } from '../../test/relayer/makeKill.ts'
import { settledAtHand } from '../kill/killState.ts'
import { newPoint } from '../kill/points.ts'
import { type Database, openDatabase } from './database.ts'
import { isKillSettled, readHistory, readKill } from './history.ts'

const shop = 'spiffe://killswitch.test/service/shop'
/** Unix seconds */
const deadline = 600

let db: Database
beforeEach(async () => {
  db = await openDatabase(':memory:')
})
afterEach(() => db.destroy())

/** Four old kills, one of each sort, each confirmed; then as many settled ones as stay at hand. */
async function writeKills() {
  const kills = [
    makeKill(1, settled),
    makeKill(2),
    makeKill(3, { ...settled, ...ofOrder(3, deadline) }),
    makeKill(4, { ...settled, ...ofOrder(4, deadline - 1) }),
    ...Array.from({ length: settledAtHand }, (_, i) => makeKill(5 + i, settled)),
  ]
  const confirmations = kills.slice(0, 4).map(({ id }) => ({
    killId: id,
    spiffeId: shop,
    moment: { at: 7, monotonic: 7.5 },
  }))
  await makeJournal(db).commit({ kills, points: [{ point: newPoint(shop, 0), confirmations }] })
  return kills
}

test('a start reads the open kills, those whose order could still be repeated and the latest, oldest first', async () => {
  const kills = await writeKills()
  const history = await readHistory(db, deadline * 1000)
  expect(history.kills.map(({ id }) => id)).toEqual([
    'kill-2',
    'kill-3',
    ...kills.slice(4).map(({ id }) => id),
  ])
  expect(history.kills[0]).toEqual(kills[1])
  expect(history.confirmations.map(({ killId }) => killId)).toEqual(['kill-2', 'kill-3'])
})

test('a settled kill is known by its order and by its transaction, an open one is not', async () => {
  const txHash = (digit: string) => `0x${digit.repeat(64)}` as const
  const orphaned = (digit: string) => ({ orphaned: { height: 5, txHash: txHash(digit), at: 0 } })
  const withdrawn = { withdrawn: { at: 0, monotonic: 0 } }
  const ofThree = ofOrder(3, deadline)
  const ofFour = ofOrder(4, deadline)
  const kills = [
    makeKill(1, { ...withdrawn, ...orphaned('1') }),
    makeKill(2, orphaned('2')),
    makeKill(3, { ...settled, ...ofThree }),
    makeKill(4, ofFour),
  ]
  const journal = makeJournal(db)
  await journal.commit({ kills: [makeKill(1, orphaned('9'))] })
  await journal.commit({ kills })
  const known = ['1', '2', '9'].map((digit) => isKillSettled(db, { txHash: txHash(digit) }))
  expect(await Promise.all(known)).toEqual([true, false, false])
  const orders = [ofThree, ofFour].map(({ digest }) => isKillSettled(db, { digest }))
  expect(await Promise.all(orders)).toEqual([true, false])
})

test('a kill of any age is read with its own confirmations', async () => {
  const [old] = await writeKills()
  expect(await readKill(db, 'kill-1')).toEqual({
    kill: old,
    confirmations: [{ killId: 'kill-1', spiffeId: shop, moment: { at: 7, monotonic: 7.5 } }],
  })
  expect(await readKill(db, 'kill-9')).toMatchObject({ confirmations: [] })
  expect(await readKill(db, 'none')).toBeNull()
})
