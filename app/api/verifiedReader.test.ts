import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { emptyHash, feedTag, messageHash, signDocument, snapshotTag } from '../../protocol/feed/message.ts'
import { tableDigest } from '../../protocol/feed/tableDigest.ts'
import type { RevocationRow } from '../../protocol/revocation.ts'
import { agentTypeTarget, Scope, targetKey } from '../../protocol/scope.ts'
import { createVerifiedReader, webCryptoEd25519 } from './verifiedReader.ts'

const deployment = `eip155:31337:0x${'ab'.repeat(20)}`
const now = 1_800_000_000_000
const newKey = () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  return {
    id: createPublicKey(privateKey).export({ format: 'jwk' }).x as string,
    sign: (bytes: Uint8Array) => new Uint8Array(sign(null, bytes, privateKey)),
  }
}
const key = newKey()
const stranger = newKey()
const row: RevocationRow = {
  ...agentTypeTarget('trader'),
  provisional: true,
  finalSequence: 0,
  rank: 3,
  reason: 1,
  text: '',
  killId: 'k',
}
const feed = { relayer: key.id, deployment, epoch: '00000000-0000-4000-8000-000000000001', time: now }
const heartbeatOf = (rows: readonly RevocationRow[], time: number) =>
  signDocument(
    {
      ...{ tag: feedTag, type: 'heartbeat' as const, ...feed, time, number: 0, previous: emptyHash },
      ...{
        table: tableDigest(rows),
        head: { number: 1, hash: '0x00', time: 1 },
        grantPoint: null,
        blind: false,
      },
    },
    key.sign,
  )
const snapshot = (signer = key, rows: readonly RevocationRow[] = [], time = now) =>
  signDocument(
    {
      tag: snapshotTag,
      ...feed,
      time,
      number: 0,
      previous: emptyHash,
      head: { number: 1, hash: '0x00', time: 1 },
      grantPoint: null,
      blind: false,
      rows,
    },
    signer.sign,
  )
const kill = (number: number, previous: string, signer = key) =>
  signDocument({ tag: feedTag, type: 'kill', ...feed, number, previous, row }, signer.sign)
let clocks = { wall: now, monotonic: 1_000 }
beforeEach(() => {
  clocks = { wall: now, monotonic: 1_000 }
})
const newReader = (verify = webCryptoEd25519, mayPause: () => Promise<void> | undefined = () => undefined) =>
  createVerifiedReader({
    relayer: key.id,
    deployment,
    maxStaleness: 15_000,
    verify,
    clocks: () => clocks,
    mayPause,
  })

test('what the relayer signed is taken, in the order in which it came', async () => {
  let turns = 3
  // The earlier a document, the longer its verification takes.
  const reader = newReader(async (...question) => {
    for (let left = turns--; left > 0; left--) await new Promise(setImmediate)
    return webCryptoEd25519(...question)
  })
  const first = kill(1, emptyHash)
  const second = kill(2, messageHash(first.slice(0, first.indexOf('\n'))))
  // Nobody waits for the verification of one before handing over the next.
  const taken = await Promise.all([
    reader.takeSnapshot(snapshot()),
    reader.takeMessage('kill', first),
    reader.takeMessage('kill', second),
  ])
  expect(taken.map((one) => ('kind' in one ? one.kind : one.number))).toEqual([0, 'row', 'row'])
  expect(reader.table.get(targetKey(row))).toEqual(row)
})

test.each([
  ["a stranger's signature", kill(1, emptyHash, stranger)],
  ['a changed text', kill(1, emptyHash).replace('"rank":3', '"rank":4')],
  ['a signature of something else', `${kill(1, emptyHash).split('\n')[0]}\n${snapshot().split('\n')[1]}`],
  ['no signature', kill(1, emptyHash).split('\n')[0] as string],
  ['a signature that is none', `${kill(1, emptyHash).split('\n')[0]}\n!!`],
  ['nothing', ''],
])('%s is refused and changes nothing, and the next document is judged by itself', async (_, forged) => {
  const reader = newReader()
  await reader.takeSnapshot(snapshot())
  await expect(reader.takeMessage('kill', forged)).rejects.toThrow()
  expect(reader.table.size).toBe(0)
  await reader.takeMessage('kill', kill(1, emptyHash))
  expect(reader.table.size).toBe(1)
})

test('a verification never counts for another document that is handed over meanwhile', async () => {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const reader = newReader(async (...question) => {
    await held
    return webCryptoEd25519(...question)
  })
  const good = reader.takeSnapshot(snapshot())
  const forged = reader.takeMessage('kill', kill(1, emptyHash, stranger))
  release()
  await good
  await expect(forged).rejects.toThrow()
  expect(reader.table.size).toBe(0)
})

test('a large table is hashed in turns before a heartbeat, and what came after the heartbeat is taken after it', async () => {
  let turns = 0
  const reader = newReader(webCryptoEd25519, async () => {
    turns++
    await new Promise(setImmediate)
  })
  const rows = Array.from({ length: 100 }, (_, i) => ({
    ...row,
    scope: Scope.Agent,
    subject: `0x${i.toString(16).padStart(64, '0')}` as const,
  }))
  await reader.takeSnapshot(snapshot(key, rows))
  const [beaten, killed] = await Promise.all([
    reader.takeMessage('heartbeat', heartbeatOf(rows, now + 1)),
    reader.takeMessage('kill', kill(1, emptyHash)),
  ])
  expect(turns).toBeGreaterThan(100)
  expect(beaten.kind).toBe('heartbeat')
  expect(killed.kind).toBe('row')
})

test.each(['heartbeat', 'snapshot'] as const)(
  'a %s is as old as its arrival, however long it waits',
  async (type) => {
    const held = Promise.withResolvers<void>()
    const reader = newReader(async (...question) => {
      await held.promise
      return webCryptoEd25519(...question)
    })
    const time = now + 4_000
    const taken =
      type === 'snapshot'
        ? reader.takeSnapshot(snapshot(key, [], time))
        : Promise.all([
            reader.takeSnapshot(snapshot()),
            reader.takeMessage('heartbeat', heartbeatOf([], time)),
          ])
    const at = (ms: number) => ({ wall: now + ms, monotonic: 1_000 + ms })
    clocks = at(2_000)
    held.resolve()
    await taken
    // By its own time it is younger still: the clock of who sent it runs ahead.
    expect([15_000, 15_001].map((ms) => reader.freshness(at(ms)))).toEqual(['fresh', 'stale'])
  },
)

test('a browser without Ed25519 says so instead of calling the relayer a forger', async () => {
  const reader = newReader(async () => {
    throw new DOMException('Unrecognized name', 'NotSupportedError')
  })
  await expect(reader.takeSnapshot(snapshot())).rejects.toMatchObject({ name: 'NotSupportedError' })
})
