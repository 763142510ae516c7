import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Rank } from '../rank.ts'
import type { RevocationRow } from '../revocation.ts'
import { agentTypeTarget, targetKey } from '../scope.ts'
import {
  emptyHash,
  type FeedMessage,
  FeedRefusedError,
  feedTag,
  messageHash,
  type RowMessageType,
  type Snapshot,
  signDocument,
  snapshotTag,
  type Verify,
} from './message.ts'
import { type Clocks, createFeedReader } from './reader.ts'
import { tableDigest } from './tableDigest.ts'

const deployment = `eip155:31337:0x${'ab'.repeat(20)}`
const maxStaleness = 15_000
const start = 1_800_000_000_000

const newKey = () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  return {
    id: createPublicKey(privateKey).export({ format: 'jwk' }).x as string,
    sign: (bytes: Uint8Array) => new Uint8Array(sign(null, bytes, privateKey)),
  }
}
const verifyEd25519: Verify = (bytes, signature, publicKey) =>
  verify(
    null,
    bytes,
    createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') },
      format: 'jwk',
    }),
    signature,
  )
const key = newKey()
const otherKey = newKey()
const newEpoch = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

type Position = { epoch: string; number: number; previous: string }

/** A relayer's feed as docs/protocol.md has it, with everything that it ever signed. */
class Relayer {
  epoch = 1
  number = 0
  previous = emptyHash
  rows = new Map<string, RevocationRow>()
  blind = false
  /** Strictly growing, like the relayer's own stamps. */
  time = start
  /** The table after each numbered message, by epoch and number. */
  readonly history = new Map<string, ReadonlyMap<string, RevocationRow>>()
  constructor() {
    this.record()
  }
  position(): Position & { relayer: string; deployment: string } {
    return {
      relayer: key.id,
      deployment,
      epoch: newEpoch(this.epoch),
      number: this.number,
      previous: this.previous,
    }
  }
  record() {
    this.history.set(`${newEpoch(this.epoch)}.${this.number}`, new Map(this.rows))
  }
  view() {
    const mark = { number: 1, hash: '0x00', time: 1 }
    return { head: mark, grantPoint: null, blind: this.blind }
  }
  write(type: RowMessageType, row: RevocationRow, signer = key): string {
    const json: FeedMessage = {
      tag: feedTag,
      type,
      ...this.position(),
      number: this.number + 1,
      time: this.time,
      row,
    }
    const text = signDocument(json, signer.sign)
    this.number += 1
    this.previous = messageHash(text.slice(0, text.indexOf('\n')))
    if (type === 'dropped') this.rows.delete(targetKey(row))
    else this.rows.set(targetKey(row), row)
    this.record()
    return text
  }
  heartbeat(): string {
    return signDocument(
      {
        tag: feedTag,
        type: 'heartbeat',
        ...this.position(),
        ...this.view(),
        time: this.time,
        table: tableDigest(this.rows.values()),
      },
      key.sign,
    )
  }
  snapshot(): string {
    const rows = [...this.rows.values()]
    return signDocument(
      { tag: snapshotTag, ...this.position(), ...this.view(), time: this.time, rows },
      key.sign,
    )
  }
  /** As after a restore from a backup: the table of an earlier moment, another epoch. */
  restore(rows: ReadonlyMap<string, RevocationRow>) {
    this.epoch += 1
    this.number = 0
    this.previous = emptyHash
    this.rows = new Map(rows)
    this.record()
  }
}

const newReader = () => createFeedReader({ relayer: key.id, deployment, verify: verifyEd25519, maxStaleness })
const row = (type: string, change: Partial<RevocationRow> = {}): RevocationRow => ({
  ...agentTypeTarget(type),
  provisional: true,
  finalSequence: 0,
  rank: Rank.Council,
  reason: 1,
  text: '',
  killId: 'k',
  ...change,
})
const clocks = (relayer: Relayer): Clocks => ({ wall: relayer.time, monotonic: relayer.time - start })
const refusal = (action: () => unknown): string => {
  try {
    action()
    return 'taken'
  } catch (error) {
    if (!(error instanceof FeedRefusedError)) throw error
    return error.kind
  }
}
/** A reader that has taken the snapshot of a relayer with one message. */
const followed = () => {
  const relayer = new Relayer()
  const first = relayer.write('kill', row('a'))
  const reader = newReader()
  reader.takeSnapshot(relayer.snapshot(), clocks(relayer))
  return { relayer, reader, first }
}

describe('holes that were there once', () => {
  test('a heartbeat that a snapshot has overtaken is known, not an attack, and renews nothing', () => {
    const { relayer, reader } = followed()
    const old = relayer.heartbeat()
    relayer.time += 10
    relayer.write('kill', row('b'))
    reader.takeSnapshot(relayer.snapshot(), clocks(relayer))
    expect(reader.takeMessage(old, clocks(relayer))).toEqual({ kind: 'known' })
    relayer.time += maxStaleness + 1
    expect(reader.takeMessage(old, clocks(relayer))).toEqual({ kind: 'known' })
    expect(reader.freshness(clocks(relayer))).toBe('stale')
  })

  test('a heartbeat of the same millisecond as the snapshot is known; if it says blind, that is believed', () => {
    const { relayer, reader } = followed()
    expect(reader.takeMessage(relayer.heartbeat(), clocks(relayer))).toEqual({ kind: 'known' })
    expect(reader.freshness(clocks(relayer))).toBe('fresh')
    relayer.blind = true
    expect(reader.takeMessage(relayer.heartbeat(), clocks(relayer))).toEqual({ kind: 'known' })
    expect(reader.freshness(clocks(relayer))).toBe('blind')
  })

  test('a heartbeat while the snapshot is in flight asks for the snapshot and renews nothing', () => {
    const { relayer, reader } = followed()
    relayer.write('kill', row('b'))
    const snapshot = relayer.snapshot()
    relayer.time += maxStaleness + 1
    expect(reader.takeMessage(relayer.heartbeat(), clocks(relayer))).toEqual({ kind: 'gap' })
    expect(reader.freshness(clocks(relayer))).toBe('stale')
    expect(refusal(() => reader.takeSnapshot(snapshot, clocks(relayer)))).toBe('rollback')
    reader.takeSnapshot(relayer.snapshot(), clocks(relayer))
    expect(reader.freshness(clocks(relayer))).toBe('fresh')
  })

  test('a final row that a restored relayer does not know stands, and its heartbeats are still taken', () => {
    const { relayer, reader } = followed()
    relayer.write('final', row('a', { provisional: false, finalSequence: 9 }))
    relayer.write('kill', row('b'))
    relayer.time += 1
    reader.takeSnapshot(relayer.snapshot(), clocks(relayer))
    relayer.restore(new Map())
    relayer.time += 1
    expect(reader.takeMessage(relayer.heartbeat(), clocks(relayer))).toEqual({ kind: 'gap' })
    reader.takeSnapshot(relayer.snapshot(), clocks(relayer))
    relayer.time += 1
    expect(reader.takeMessage(relayer.heartbeat(), clocks(relayer))).toMatchObject({ kind: 'heartbeat' })
    expect([...reader.table.values()]).toEqual([row('a', { provisional: false, finalSequence: 9 })])
    // The restored relayer meets the kill again, first as one that it knows less of.
    reader.takeMessage(relayer.write('kill', row('a', { finalSequence: 3 })), clocks(relayer))
    expect([...reader.table.values()]).toEqual([row('a', { finalSequence: 9 })])
    relayer.time += 1
    expect(reader.takeMessage(relayer.heartbeat(), clocks(relayer))).toMatchObject({ kind: 'heartbeat' })
    reader.takeMessage(relayer.write('dropped', row('a')), clocks(relayer))
    expect(reader.table.size).toBe(0)
  })

  test('a subject that was dropped and killed again between two snapshots does not upset the digest', () => {
    const { relayer, reader } = followed()
    relayer.write('final', row('a', { provisional: false, finalSequence: 9 }))
    relayer.time += 1
    reader.takeSnapshot(relayer.snapshot(), clocks(relayer))
    relayer.write('dropped', row('a'))
    relayer.write('kill', row('a'))
    relayer.time += 1
    reader.takeSnapshot(relayer.snapshot(), clocks(relayer))
    expect(reader.table.get(targetKey(row('a')))).toEqual(row('a', { finalSequence: 9 }))
    relayer.time += 1
    expect(reader.takeMessage(relayer.heartbeat(), clocks(relayer))).toMatchObject({ kind: 'heartbeat' })
  })

  test('an epoch that was left does not come back', () => {
    const { relayer, reader, first } = followed()
    const left = new Relayer()
    Object.assign(left, { number: relayer.number, previous: relayer.previous, rows: new Map(relayer.rows) })
    relayer.restore(relayer.rows)
    const sameTime = relayer.snapshot()
    expect(refusal(() => reader.takeSnapshot(sameTime, clocks(relayer)))).toBe('rollback')
    relayer.time += 1
    reader.takeSnapshot(relayer.snapshot(), clocks(relayer))
    left.time = relayer.time + 1
    expect(refusal(() => reader.takeSnapshot(left.snapshot(), clocks(left)))).toBe('rollback')
    expect(reader.takeMessage(first, clocks(relayer))).toEqual({ kind: 'known' })
    expect(reader.position()).toEqual({ epoch: newEpoch(2), number: 0 })
  })

  test('a snapshot of a lower number is a rollback, however new its time', () => {
    const { relayer, reader } = followed()
    const behind = new Relayer()
    behind.time = relayer.time + 1
    expect(refusal(() => reader.takeSnapshot(behind.snapshot(), clocks(behind)))).toBe('rollback')
  })

  test('a heartbeat of a number that is not ours renews nothing, also when the table is the same', () => {
    const { relayer, reader } = followed()
    relayer.write('kill', row('b'))
    relayer.write('dropped', row('b'))
    relayer.time += maxStaleness + 1
    expect(reader.takeMessage(relayer.heartbeat(), clocks(relayer))).toEqual({ kind: 'gap' })
    expect(reader.freshness(clocks(relayer))).toBe('stale')
  })

  test('a message after a fork is refused by who has the other branch', () => {
    const { reader } = followed()
    const fork = new Relayer()
    fork.write('kill', row('a', { text: 'fork' }))
    expect(refusal(() => reader.takeMessage(fork.write('kill', row('b')), clocks(fork)))).toBe('fork')
  })

  test('a table that differs under an honest number asks for the snapshot', () => {
    const { relayer, reader } = followed()
    relayer.rows.set('x', row('b'))
    relayer.time += 1
    expect(reader.takeMessage(relayer.heartbeat(), clocks(relayer))).toEqual({ kind: 'gap' })
  })

  test('a replayed snapshot cannot make a new reader fresh beyond its own time', () => {
    const relayer = new Relayer()
    const snapshot = relayer.snapshot()
    const at = (age: number) => ({ wall: start + age, monotonic: 0 })
    expect(refusal(() => newReader().takeSnapshot(snapshot, at(maxStaleness + 1)))).toBe('rollback')
    const reader = newReader()
    reader.takeSnapshot(snapshot, at(maxStaleness))
    expect(reader.freshness(at(maxStaleness))).toBe('fresh')
    expect(reader.freshness({ wall: start + maxStaleness + 1, monotonic: 1 })).toBe('stale')
  })

  const sign = (document: object) => {
    const json = JSON.stringify(document)
    return `${json}\n${Buffer.from(key.sign(Buffer.from(json))).toString('base64url')}`
  }
  const signText = (json: string) =>
    `${json}\n${Buffer.from(key.sign(Buffer.from(json))).toString('base64url')}`
  const opened = (text: string) => JSON.parse(text.slice(0, text.indexOf('\n')))

  test.each(['1e308', '1e999', '-1', '1.5', 'null', '"1"', '[]'])(
    'time %s is malformed, signed or not',
    (time) => {
      const { relayer, reader } = followed()
      relayer.time += 1
      for (const [take, text] of [
        [reader.takeMessage, relayer.heartbeat()],
        [reader.takeSnapshot, relayer.snapshot()],
        [reader.takeMessage, relayer.write('kill', row('b'))],
      ] as const) {
        const json = text.slice(0, text.indexOf('\n')).replace(/"time":18\d+/, `"time":${time}`)
        expect(refusal(() => take(signText(json), clocks(relayer)))).toBe('malformed')
      }
      expect(reader.position()?.number).toBe(1)
    },
  )

  test('a missing field is malformed', () => {
    const { relayer, reader } = followed()
    relayer.time += 1
    for (const text of [relayer.heartbeat(), relayer.write('kill', row('b'))]) {
      for (const field of Object.keys(opened(text))) {
        const { [field]: _, ...rest } = opened(text)
        expect([field, refusal(() => reader.takeMessage(sign(rest), clocks(relayer)))]).toEqual([
          field,
          field === 'relayer' || field === 'deployment' ? 'other feed' : 'malformed',
        ])
      }
    }
    const { rows, ...rest } = opened(relayer.snapshot()) as Snapshot
    for (const field of Object.keys(rows[0] as object)) {
      const { [field]: _, ...less } = rows[0] as unknown as Record<string, unknown>
      expect(refusal(() => reader.takeSnapshot(sign({ ...rest, rows: [less] }), clocks(relayer)))).toBe(
        'malformed',
      )
    }
    expect(
      refusal(() => reader.takeSnapshot(sign({ ...rest, rows: [rows[0], rows[0]] }), clocks(relayer))),
    ).toBe('malformed')
  })

  test('a subject that no SVID could have is malformed: it would never be enforced', () => {
    const { relayer, reader } = followed()
    const upper = row('jk', { subject: row('jk').subject.replaceAll('a', 'A') as `0x${string}` })
    for (const bad of [
      upper,
      row('b', { scope: 3 }),
      row('b', { scope: 4 as 3 }),
      row('b', { rank: 5 as 4 }),
    ])
      expect(refusal(() => reader.takeMessage(new Relayer().write('kill', bad), clocks(relayer)))).toBe(
        'malformed',
      )
  })

  test('repeated keys and lone surrogates have two readings', () => {
    const { relayer, reader } = followed()
    relayer.time += 1
    const json = relayer.heartbeat().split('\n')[0] as string
    const twice = json.replace('"blind":false', '"blind":true,"blind":false')
    expect(refusal(() => reader.takeMessage(signText(twice), clocks(relayer)))).toBe('malformed')
    expect(refusal(() => reader.takeMessage(signText(json.replace(',', ', ')), clocks(relayer)))).toBe(
      'malformed',
    )
    const replaced = relayer.write('kill', row('b', { text: '\ufffd' })).replace('\ufffd', '\ud800')
    expect(refusal(() => reader.takeMessage(replaced, clocks(relayer)))).toBe('malformed')
  })

  test('clocks that are no numbers are stale, and take no snapshot', () => {
    const { relayer, reader } = followed()
    const nan = Number.NaN
    for (const bad of [
      { wall: nan, monotonic: 0 },
      { wall: start, monotonic: nan },
      { wall: start, monotonic: -1 },
    ])
      expect(reader.freshness(bad)).toBe('stale')
    expect(refusal(() => newReader().takeSnapshot(relayer.snapshot(), { wall: nan, monotonic: 0 }))).toBe(
      'rollback',
    )
  })

  test('a heartbeat from too far ahead is refused: 5,000 and 5,001 ms', () => {
    for (const [ahead, kind] of [
      [5000, 'taken'],
      [5001, 'stale heartbeat'],
    ] as const) {
      const { relayer, reader } = followed()
      relayer.time += ahead
      expect(refusal(() => reader.takeMessage(relayer.heartbeat(), { wall: start, monotonic: 0 }))).toBe(kind)
    }
  })

  test('staleness by each clock: 14,999, 15,000 and 15,001 ms', () => {
    for (const [age, state] of [
      [14_999, 'fresh'],
      [15_000, 'fresh'],
      [15_001, 'stale'],
    ] as const) {
      expect(followed().reader.freshness({ wall: start + age, monotonic: 0 })).toBe(state)
      expect(followed().reader.freshness({ wall: start, monotonic: age })).toBe(state)
    }
  })

  test('a suspend followed by a step back of the wall clock does not make an old view fresh again', () => {
    const { relayer, reader } = followed()
    // 12 s of sleep, which the monotonic clock does not count; then a server of time says that it was 4 s less.
    expect(reader.freshness({ wall: start + 12_000, monotonic: 0 })).toBe('fresh')
    expect(reader.freshness({ wall: start + 11_000, monotonic: 3_000 })).toBe('fresh')
    expect(reader.freshness({ wall: start + 11_001, monotonic: 3_001 })).toBe('stale')
    relayer.time += 11_500
    reader.takeMessage(relayer.heartbeat(), { wall: start + 11_500, monotonic: 3_500 })
    expect(reader.freshness({ wall: start + 11_500, monotonic: 3_500 })).toBe('fresh')
  })

  test('a wall clock that was wrong for a moment is right again with the next heartbeat', () => {
    const { relayer, reader } = followed()
    expect(reader.freshness({ wall: start + 3_600_000, monotonic: 1 })).toBe('stale')
    expect(reader.freshness({ wall: start + 2, monotonic: 2 })).toBe('stale')
    relayer.time += 3
    reader.takeMessage(relayer.heartbeat(), { wall: start + 3, monotonic: 3 })
    expect(reader.freshness({ wall: start + 3, monotonic: 3 })).toBe('fresh')
  })

  test('a heartbeat from ahead says that our clocks stood still: fresh no more, until one is in time', () => {
    const { relayer, reader } = followed()
    relayer.time += 60_000
    const ahead = relayer.heartbeat()
    expect(refusal(() => reader.takeMessage(ahead, { wall: start, monotonic: 0 }))).toBe('stale heartbeat')
    expect(reader.freshness({ wall: start, monotonic: 0 })).toBe('stale')
    reader.takeMessage(ahead, { wall: start + 60_000, monotonic: 1 })
    expect(reader.freshness({ wall: start + 60_000, monotonic: 1 })).toBe('fresh')
  })

  test('a table beyond its limit is refused, and nothing is fresh until it fits', () => {
    const relayer = new Relayer()
    const reader = createFeedReader({
      relayer: key.id,
      deployment,
      verify: verifyEd25519,
      maxStaleness,
      maxRows: 2,
    })
    reader.takeSnapshot(relayer.snapshot(), clocks(relayer))
    for (const type of ['a', 'b'])
      reader.takeMessage(relayer.write('final', row(type, { finalSequence: 1 })), clocks(relayer))
    expect(reader.freshness(clocks(relayer))).toBe('fresh')
    expect(refusal(() => reader.takeMessage(relayer.write('kill', row('c')), clocks(relayer)))).toBe(
      'too large',
    )
    expect(reader.freshness(clocks(relayer))).toBe('stale')
    expect(reader.table.size).toBe(2)
    relayer.time += 1
    expect(refusal(() => reader.takeSnapshot(relayer.snapshot(), clocks(relayer)))).toBe('too large')
    relayer.write('dropped', row('a'))
    relayer.time += 1
    reader.takeSnapshot(relayer.snapshot(), clocks(relayer))
    expect(reader.freshness(clocks(relayer))).toBe('fresh')
    // Final rows of an epoch that was left stand, and count.
    relayer.restore(
      new Map([
        ['x', row('x')],
        ['y', row('y')],
      ]),
    )
    relayer.time += 1
    expect(refusal(() => reader.takeSnapshot(relayer.snapshot(), clocks(relayer)))).toBe('too large')
    expect([...reader.table.keys()]).toEqual([targetKey(row('b')), targetKey(row('c'))])
  })

  test('text and kill id have their limits', () => {
    const { relayer, reader } = followed()
    for (const [change, outcome] of [
      [{ text: 'x'.repeat(256) }, 'taken'],
      [{ text: 'x'.repeat(257) }, 'malformed'],
      [{ killId: 'x'.repeat(65) }, 'malformed'],
    ] as const) {
      const { number, previous } = relayer
      const text = relayer.write('kill', row('b', change))
      expect(refusal(() => reader.takeMessage(text, clocks(relayer)))).toBe(outcome)
      if (outcome !== 'taken') Object.assign(relayer, { number, previous })
    }
  })
})

/** What the model knows beside the reader: the truth of each position, and when the reader was last told of life. */
type Model = {
  relayer: Relayer
  wall: number
  monotonic: number
  /** Every document ever signed by the relayer, to be replayed. */
  readonly sent: { text: string; kind: 'message' | 'snapshot' }[]
  /** The signed times of all heartbeats and snapshots by text, with whether they said blind. */
  readonly life: Map<string, { time: number; blind: boolean; at: { epoch: string; number: number } }>
  /** The last sign of life that the reader took, and when. */
  taken: { time: number; blind: boolean; monotonic: number; lead: number; doubted: boolean } | null
  /** Largest final sequence the reader was told of since the subject was dropped, by subject. */
  readonly finals: Map<string, number>
  /** Position before the command. */
  at: { epoch: string; number: number } | null
}
type Reader = ReturnType<typeof newReader>

const note = (model: Model, text: string, kind: 'message' | 'snapshot', sign = false) => {
  model.sent.push({ text, kind })
  if (sign) {
    const { time, blind } = model.relayer
    const { epoch, number } = model.relayer.position()
    model.life.set(text, { time, blind, at: { epoch, number } })
  }
  return text
}

/** Hands the reader a document, then checks every invariant against the model. */
function hand(model: Model, reader: Reader, text: string, kind: 'message' | 'snapshot', forged = false) {
  const { wall, monotonic } = model
  const before = model.at
  const tableBefore = JSON.stringify([...reader.table])
  let outcome: string
  let dropped: RevocationRow | null = null
  try {
    if (kind === 'snapshot') {
      reader.takeSnapshot(text, { wall, monotonic })
      outcome = 'snapshot'
    } else {
      const taken = reader.takeMessage(text, { wall, monotonic })
      outcome = taken.kind
      if (taken.kind === 'row' && taken.type === 'dropped') dropped = taken.row
    }
  } catch (error) {
    expect(error).toBeInstanceOf(FeedRefusedError)
    outcome = 'refused'
  }
  const at = reader.position()
  if (forged) expect(outcome).toBe('refused')
  // 1. What is not taken changes nothing.
  if (!['row', 'snapshot'].includes(outcome)) {
    expect(at).toEqual(before)
    expect(JSON.stringify([...reader.table])).toBe(tableBefore)
  }
  // 2. No way back: numbers of an epoch grow, epochs grow.
  if (before !== null && at !== null) {
    expect(at.epoch >= before.epoch).toBe(true)
    if (at.epoch === before.epoch) expect(at.number).toBeGreaterThanOrEqual(before.number)
  }
  // 3. The table is the relayer's at that position, with final sequences raised to what was told before.
  if (at !== null) {
    const truth = model.relayer.history.get(`${at.epoch}.${at.number}`)
    if (truth === undefined)
      throw new Error(`the reader is where the relayer never was: ${JSON.stringify(at)}`)
    if (dropped !== null) model.finals.delete(targetKey(dropped))
    if (outcome === 'snapshot' && before !== null && before.epoch === at.epoch) {
      const then = model.relayer.history.get(`${before.epoch}.${before.number}`)
      for (const subject of then?.keys() ?? []) if (!truth.has(subject)) model.finals.delete(subject)
    }
    for (const [subject, told] of truth)
      model.finals.set(subject, Math.max(model.finals.get(subject) ?? 0, told.finalSequence))
    const expected = new Map<string, object>()
    for (const [subject, finalSequence] of model.finals) {
      const told = truth.get(subject)
      if (told !== undefined) expected.set(subject, { ...told, finalSequence })
      else if (finalSequence > 0) expected.set(subject, { provisional: false, finalSequence })
    }
    expect(new Set(reader.table.keys())).toEqual(new Set(expected.keys()))
    for (const [subject, fields] of expected) expect(reader.table.get(subject)).toMatchObject(fields)
  }
  // 4. Fresh only by a sign of life that was taken.
  const life = model.life.get(text)
  if (outcome === 'heartbeat') expect(life?.at).toEqual(at)
  if (life !== undefined && ['heartbeat', 'snapshot'].includes(outcome)) {
    if (model.taken === null || life.time > model.taken.time)
      model.taken = { ...life, monotonic, lead: wall - monotonic, doubted: false }
  }
  // What lies too far ahead, and would be news, says that our clocks are behind.
  if (life !== undefined && !forged && model.taken !== null && before !== null && outcome === 'refused') {
    const { epoch, number } = life.at
    const inPlace =
      kind === 'message'
        ? epoch === before.epoch && number === before.number
        : epoch > before.epoch || (epoch === before.epoch && number >= before.number)
    if (inPlace && life.time > wall + 5_000 && life.time > model.taken.time) model.taken.doubted = true
  }
  if (
    life !== undefined &&
    outcome === 'known' &&
    life.time === model.taken?.time &&
    life.blind &&
    at?.number !== undefined
  ) {
    const current =
      model.relayer.epoch === Number(at.epoch.slice(-12)) && reader.freshness({ wall, monotonic }) === 'blind'
    if (current) model.taken = { ...model.taken, blind: true }
  }
  model.at = at
}

function checkFreshness(model: Model, reader: Reader) {
  const { wall, monotonic, taken } = model
  if (taken !== null) taken.lead = Math.max(taken.lead, wall - monotonic)
  const fresh =
    taken !== null &&
    !taken.blind &&
    !taken.doubted &&
    monotonic + taken.lead - taken.time <= maxStaleness &&
    taken.time <= wall + 5000 &&
    monotonic - taken.monotonic <= maxStaleness
  expect(reader.freshness({ wall, monotonic }) === 'fresh').toBe(fresh)
}

const command = (name: string, run: (model: Model, reader: Reader) => void): fc.Command<Model, Reader> => ({
  check: () => true,
  run: (model, reader) => {
    run(model, reader)
    checkFreshness(model, reader)
  },
  toString: () => name,
})
const lastText = (model: Model) => model.sent.at(-1)
const types = ['a', 'b', 'c']
const rowTypes: readonly RowMessageType[] = ['kill', 'final', 'withdrawn', 'resumed', 'dropped']
const written = fc.record({
  type: fc.constantFrom(...rowTypes),
  of: fc.constantFrom(...types),
  provisional: fc.boolean(),
  more: fc.nat(3),
})
type Written = typeof written extends fc.Arbitrary<infer T> ? T : never
/** The row after a change, as a relayer's own rules have it: final sequences grow while the row lives. */
const nextRow = (relayer: Relayer, { of, provisional, more }: Written) => {
  const finalSequence = (relayer.rows.get(targetKey(row(of)))?.finalSequence ?? 0) + more
  return row(of, { provisional, finalSequence, text: `${relayer.number}` })
}

const commands = [
  written.map((w) =>
    command(`message ${JSON.stringify(w)}`, (model, reader) => {
      hand(
        model,
        reader,
        note(model, model.relayer.write(w.type, nextRow(model.relayer, w)), 'message'),
        'message',
      )
    }),
  ),
  written.map((w) =>
    command(`dropped on the way ${JSON.stringify(w)}`, (model) => {
      note(model, model.relayer.write(w.type, nextRow(model.relayer, w)), 'message')
    }),
  ),
  fc.constant(
    command('heartbeat', (model, reader) => {
      model.relayer.time = Math.max(model.relayer.time + 1, model.wall)
      hand(model, reader, note(model, model.relayer.heartbeat(), 'message', true), 'message')
    }),
  ),
  fc.constant(
    command('snapshot', (model, reader) => {
      model.relayer.time = Math.max(model.relayer.time + 1, model.wall)
      hand(model, reader, note(model, model.relayer.snapshot(), 'snapshot', true), 'snapshot')
    }),
  ),
  fc.boolean().map((blind) =>
    command(`blind ${blind}`, (model) => {
      model.relayer.blind = blind
    }),
  ),
  fc.nat().map((pick) =>
    command(`replay ${pick}`, (model, reader) => {
      const old = model.sent[pick % Math.max(1, model.sent.length)]
      if (old !== undefined) hand(model, reader, old.text, old.kind)
    }),
  ),
  fc.nat().map((pick) =>
    command(`flip a bit ${pick}`, (model, reader) => {
      const old = lastText(model)
      if (old === undefined) return
      const bytes = Buffer.from(old.text)
      // Of the signed bytes: the spelling of a signature is no news.
      const at = pick % old.text.indexOf('\n')
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (pick % 7)), at)
      hand(model, reader, bytes.toString(), old.kind, true)
    }),
  ),
  fc.nat().map((pick) =>
    command(`truncate ${pick}`, (model, reader) => {
      const old = lastText(model)
      if (old !== undefined) hand(model, reader, old.text.slice(0, pick % old.text.length), old.kind, true)
    }),
  ),
  fc.constant(
    command('snapshot as message and message as snapshot', (model, reader) => {
      const old = lastText(model)
      if (old !== undefined)
        hand(model, reader, old.text, old.kind === 'message' ? 'snapshot' : 'message', true)
    }),
  ),
  written.map((w) =>
    command(`signed by another key ${JSON.stringify(w)}`, (model, reader) => {
      const twin = Object.assign(Object.create(Relayer.prototype) as Relayer, model.relayer, {
        rows: new Map(model.relayer.rows),
        history: new Map(),
      })
      hand(model, reader, twin.write(w.type, nextRow(twin, w), otherKey), 'message', true)
    }),
  ),
  fc.boolean().map((otherChain) =>
    command(`of another ${otherChain ? 'deployment' : 'relayer'}`, (model, reader) => {
      const { relayer } = model
      const other = otherChain ? { deployment: deployment.replace('31337', '1') } : { relayer: otherKey.id }
      for (const rows of [[row('a')], []]) {
        const position = { ...relayer.position(), ...other }
        const document: Snapshot = {
          tag: snapshotTag,
          ...position,
          ...relayer.view(),
          time: relayer.time,
          rows,
        }
        hand(model, reader, signDocument(document, key.sign), 'snapshot', true)
      }
    }),
  ),
  written.map((w) =>
    command(`fork ${JSON.stringify(w)}`, (model, reader) => {
      const { relayer } = model
      const at = reader.position()
      if (relayer.number === 0 || at?.epoch !== newEpoch(relayer.epoch)) return
      // The relayer signs its last number once more with other content: seen if the reader is there already.
      const fork = Object.assign(Object.create(Relayer.prototype) as Relayer, relayer, {
        number: relayer.number - 1,
        rows: new Map(),
        history: new Map(),
      })
      const text = fork.write('kill', row(w.of, { text: 'fork' }))
      if (at.number >= relayer.number) {
        hand(model, reader, text, 'message', true)
        // A reader that has the fork's number from a snapshot alone knows its hash too.
        fork.time = relayer.time = Math.max(relayer.time + 1, model.wall)
        hand(model, reader, fork.snapshot(), 'snapshot', true)
        hand(model, reader, fork.heartbeat(), 'message', true)
        // What follows the fork does not follow ours.
        if (at.number === relayer.number)
          hand(model, reader, fork.write('kill', row(w.of, { text: 'after' })), 'message', true)
      }
    }),
  ),
  fc.nat().map((pick) =>
    command(`restore ${pick}`, (model) => {
      const past = [...model.relayer.history.values()]
      model.relayer.restore(past[pick % past.length] ?? new Map())
    }),
  ),
  fc.constantFrom(1, 900, 5_000, 14_000, 16_000).map((ms) =>
    command(`wait ${ms}`, (model) => {
      model.wall += ms
      model.monotonic += ms
    }),
  ),
  // Forward it is a suspend too: the monotonic clock stands still.
  fc.constantFrom(-60_000, -6_000, -4_000, 4_000, 16_000).map((ms) =>
    command(`wall clock jumps ${ms}`, (model) => {
      model.wall += ms
    }),
  ),
]

test('the table is the relayer’s at the position reported, whatever arrives; fresh only when it may be', () => {
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 60, size: 'max' }), (all) => {
      fc.modelRun(
        () => ({
          model: {
            relayer: new Relayer(),
            wall: start,
            monotonic: 0,
            sent: [],
            life: new Map(),
            taken: null,
            finals: new Map(),
            at: null,
          },
          real: newReader(),
        }),
        all,
      )
    }),
    { numRuns: Number(process.env.KILLSWITCH_HISTORIES ?? 5) * 60 },
  )
})

test('an honest stream of any length is followed without a snapshot and ends fresh', () => {
  fc.assert(
    fc.property(fc.array(written, { maxLength: 30 }), (all) => {
      const relayer = new Relayer()
      const reader = newReader()
      reader.takeSnapshot(relayer.snapshot(), clocks(relayer))
      for (const w of all) {
        relayer.time += 1
        expect(reader.takeMessage(relayer.write(w.type, nextRow(relayer, w)), clocks(relayer))).toMatchObject(
          { kind: 'row' },
        )
        relayer.time += 1
        expect(reader.takeMessage(relayer.heartbeat(), clocks(relayer))).toMatchObject({ kind: 'heartbeat' })
        expect(reader.table).toEqual(relayer.rows)
      }
      expect(reader.freshness(clocks(relayer))).toBe('fresh')
    }),
  )
})
