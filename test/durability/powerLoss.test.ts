// A power cut keeps what was made durable and of the rest whatever it likes. A whole life of a relayer is recorded,
// call by call; then its disk is rebuilt as cuts at many moments may leave it, and each is started from.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deploymentId } from '../../protocol/deployment.ts'
import { type FeedMessage, messageHash } from '../../protocol/feed/message.ts'
import { openFeedKey } from '../../relayer/identity/feedKey.ts'
import { openOperatorSecret } from '../../relayer/identity/operatorSecret.ts'
import { openSigningAuthority } from '../../relayer/identity/signingAuthority.ts'
import { openDatabase } from '../../relayer/store/database.ts'
import { pin } from '../../relayer/store/settings.ts'
import { trustDomain } from '../relayer/world.ts'
import { createDisk, type DiskOperation, type Survival } from './support/diskImage.ts'
import { createRandom } from './support/random.ts'
import { type DiskRecord, recordDisk, unrecordable } from './support/recordDisk.ts'
import { spawnRelayer } from './support/relayerProcess.ts'
import { viewStore } from './support/storeView.ts'
import { serialIn } from './support/workload.ts'

const cuts = Number(process.env.KILLSWITCH_POWER_CUTS ?? 25)
const seed = Number(process.env.KILLSWITCH_SEED ?? Date.now() % 1_000_000)
const survivals: readonly [Survival, ...Survival[]] = ['nothing', 'any sectors', 'a prefix', 'everything']

/** What had been answered or published at a moment. */
type Promised = {
  /** Whether anything signed with the relayer's keys was given out. */
  signed: boolean
  readonly kills: Set<string>
  readonly messages: Map<number, { readonly epoch: string; readonly hash: string }>
  readonly svids: Set<string>
}

function takeAnswers(promised: Promised, { bytes }: DiskOperation & { readonly type: 'write' }): void {
  for (const line of bytes.toString().trim().split('\n')) {
    const { status, url, text } = JSON.parse(line) as { status: number; url: string; text: string }
    if (url === '/api/kill' && status === 202)
      promised.kills.add((JSON.parse(text) as { killId: string }).killId)
    if ((url === '/agents/attest' || url === '/enrolments') && status === 200)
      promised.svids.add(serialIn(JSON.parse(text) as Record<string, unknown>))
    if (url === '/revocations' || url === '/revocations/stream') promised.signed = true
    for (const [, json = ''] of text.matchAll(/^data: (\{.*\})$/gm)) {
      const message = JSON.parse(json) as FeedMessage
      if (message.type === 'heartbeat') continue
      promised.messages.set(message.number, { epoch: message.epoch, hash: messageHash(json) })
      if (message.type === 'kill') promised.kills.add(message.row.killId)
    }
  }
}

const why = unrecordable()
if (why !== null) process.stderr.write(`power loss is not tested: ${why}\n`)

describe.skipIf(why !== null)(`after a power cut (seed ${seed})`, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'killswitch-power-'))
  let record: DiskRecord
  beforeAll(async () => {
    record = await recordDisk(6)
  })
  afterAll(async () => {
    await record?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** What a start does before it follows the chain. */
  const startFrom = async (image: string) => {
    const data = path.join(image, 'data')
    const db = await openDatabase(path.join(data, 'relayer.db'))
    try {
      await pin(db, 'deployment', deploymentId(record.chain.deployment))
      await pin(db, 'trust domain', trustDomain)
      const { publicKey } = openFeedKey(path.join(data, 'feed.key'))
      await pin(db, 'feed key', publicKey)
      openSigningAuthority({ folder: data, trustDomain, now: Date.now() })
      openOperatorSecret(data)
    } finally {
      await db.destroy()
    }
  }

  const keyFiles = ['feed.key', 'ca.key', 'ca.crt', 'enrolment.key'] as const
  const check = async (image: string, promised: Promised): Promise<void> => {
    const data = path.join(image, 'data')
    for (const file of promised.signed || promised.svids.size > 0 ? keyFiles : [])
      expect(readFileSync(path.join(data, file)), file).toEqual(readFileSync(path.join(record.data, file)))
    await startFrom(image)
    const store = await viewStore(data)
    if (store === null) throw new Error('a start makes a store')
    for (const killId of promised.kills) expect(store.kills.has(killId), `kill ${killId}`).toBe(true)
    for (const [number, message] of promised.messages) expect(store.messages.get(number)).toEqual(message)
    for (const serial of promised.svids) expect(store.svids.has(serial), `SVID ${serial}`).toBe(true)
  }

  test(
    `at ${cuts} moments, nothing promised is lost and the relayer starts`,
    async () => {
      const { operations, root, args } = record
      expect(operations.filter(({ type }) => type === 'sync').length).toBeGreaterThan(10)
      const random = createRandom(seed)
      const answers = path.join(root, 'acknowledgements')
      const opened = operations.find((one) => one.type === 'open' && one.path === answers)
      const answersInode = opened?.type === 'open' ? opened.inode : ''
      const isAnswer = (operation: DiskOperation): operation is DiskOperation & { readonly type: 'write' } =>
        operation.type === 'write' && operation.inode === answersInode
      const answered = operations.flatMap((operation, i) => (isAnswer(operation) ? [i] : []))
      expect(answered.length).toBeGreaterThan(60)
      const chosen = new Map<number, Survival>()
      // Right after an answer is the worst moment; the others are spread over the whole life, the first start included.
      for (let i = 0; i < cuts; i += 1) {
        const at =
          i % 3 === 0
            ? random.pick(answered as [number, ...number[]])
            : random.integer(0, operations.length - 1)
        chosen.set(at, i % 3 === 0 && random.chance(0.5) ? 'nothing' : random.pick(survivals))
      }
      const disk = createDisk(root)
      const promised: Promised = { signed: false, kills: new Set(), messages: new Map(), svids: new Set() }
      const restartAt = [...chosen.keys()].sort((a, b) => a - b).at(-2)
      for (const [i, operation] of operations.entries()) {
        disk.apply(operation)
        if (isAnswer(operation)) takeAnswers(promised, operation)
        const survival = chosen.get(i)
        if (survival === undefined) continue
        const image = path.join(folder, String(i))
        disk.writeTo(image, survival, random)
        try {
          await check(image, promised)
        } catch (error) {
          throw new Error(
            `seed ${seed}, cut after operation ${i}, of what was not durable ${survival} survived: ${error}`,
            {
              cause: error,
            },
          )
        }
        if (i === restartAt) {
          const child = spawnRelayer({ data: path.join(image, 'data'), args })
          const address = await child.ready
          if (address === null) throw new Error(`it does not start again: ${(await child.ended).said}`)
          for (const killId of promised.kills)
            expect((await fetch(`${address.url}/kills/${killId}`)).status, `kill ${killId}`).toBe(200)
          child.kill('SIGTERM')
          expect((await child.ended).how).toBe(0)
        }
        rmSync(image, { recursive: true, force: true })
      }
      expect(promised.kills.size).toBeGreaterThanOrEqual(60)
    },
    60_000 + cuts * 2_000,
  )
})
