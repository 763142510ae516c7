import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  type BlockMark,
  emptyHash,
  type FeedMessage,
  feedTag,
  messageHash,
  type RowMessageType,
  type Snapshot,
  signDocument,
  snapshotTag,
} from '../../../protocol/feed/message.ts'
import { tableDigest } from '../../../protocol/feed/tableDigest.ts'
import type { RevocationRow } from '../../../protocol/revocation.ts'
import { type Target, targetKey } from '../../../protocol/scope.ts'
import { listen } from './listen.ts'

const block: BlockMark = { number: 1, hash: `0x${'0'.repeat(64)}`, time: 1 }

/** A row of a kill by the owner, provisional unless told otherwise. */
export const killRow = (target: Target, change: Partial<RevocationRow> = {}): RevocationRow => ({
  scope: target.scope,
  subject: target.subject,
  provisional: true,
  finalSequence: 0,
  rank: 2,
  reason: 1,
  text: 'leaked its key',
  killId: 'k1',
  ...change,
})

/** A relayer's feed that really signs, over HTTP; what it sends can be bent. */
export async function createTestFeed(options: { readonly deployment: string; readonly wall: () => number }) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const relayer = publicKey.export({ format: 'jwk' }).x as string
  const signWith = (bytes: Uint8Array) => new Uint8Array(sign(null, bytes, privateKey))
  const streams = new Set<ServerResponse>()
  const rows = new Map<string, RevocationRow>()
  const requests: string[] = []
  const lastEventIds: (string | undefined)[] = []
  let epoch: string = randomUUID()
  let number = 0
  let previous = emptyHash
  let blind = false
  let lastTime = 0
  let snapshotText: (() => string) | null = null
  let intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | null = null
  const requesting = new Set<() => void>()

  const position = () => ({ relayer, deployment: options.deployment, epoch, number, previous })
  const nextTime = () => {
    lastTime = Math.max(options.wall(), lastTime + 1)
    return lastTime
  }
  const view = () => ({ head: block, grantPoint: block, blind })

  const snapshot = (change: Partial<Snapshot> = {}): string =>
    signDocument(
      { tag: snapshotTag, ...position(), time: nextTime(), ...view(), rows: [...rows.values()], ...change },
      signWith,
    )

  const heartbeatText = (change: object = {}): string =>
    signDocument(
      {
        tag: feedTag,
        type: 'heartbeat',
        ...position(),
        time: nextTime(),
        ...view(),
        table: tableDigest(rows.values()),
        ...change,
      } as FeedMessage,
      signWith,
    )

  /** The next numbered message; it counts as published, sent or not. */
  const rowText = (type: RowMessageType, row: RevocationRow, change: object = {}): string => {
    const text = signDocument(
      {
        tag: feedTag,
        type,
        ...position(),
        number: number + 1,
        time: nextTime(),
        row,
        ...change,
      } as FeedMessage,
      signWith,
    )
    number += 1
    previous = messageHash(text.slice(0, text.indexOf('\n')))
    if (type === 'dropped') rows.delete(targetKey(row))
    else rows.set(targetKey(row), row)
    return text
  }

  const event = (type: string, text: string): string =>
    `id: ${epoch}.${number}\nevent: ${type}\n${text
      .split('\n')
      .map((line) => `data: ${line}\n`)
      .join('')}\n`

  const sendRaw = (text: string): void => {
    for (const stream of streams) stream.write(text)
  }

  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    for (const wake of requesting) wake()
    if (intercept?.(request, response) === true) return
    if (request.url === '/revocations') {
      response.end(snapshotText === null ? snapshot() : snapshotText())
    } else if (request.url === '/revocations/stream') {
      lastEventIds.push(request.headers['last-event-id']?.toString())
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      streams.add(response)
      response.on('close', () => streams.delete(response))
    } else response.writeHead(404).end()
  })
  const listening = await listen(server)

  return {
    relayer,
    url: `http://127.0.0.1:${listening.port}`,
    requests,
    lastEventIds,
    streams,
    position,
    snapshot,
    heartbeatText,
    rowText,
    event,
    sendRaw,
    send: (type: string, text: string) => sendRaw(event(type, text)),
    heartbeat: (change: object = {}) => sendRaw(event('heartbeat', heartbeatText(change))),
    kill: (target: Target, change: Partial<RevocationRow> = {}) => {
      sendRaw(event('kill', rowText('kill', killRow(target, change))))
      return { epoch, number }
    },
    /** What `GET /revocations` answers from now on; null for the truth. */
    answerSnapshotsWith: (text: (() => string) | null) => {
      snapshotText = text
    },
    /** Answers requests by hand from now on where the function says true; null for the truth. */
    answerWith: (answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | null) => {
      intercept = answer
    },
    /** Resolves with the next request. */
    requested: () =>
      new Promise<void>((resolve) => {
        const wake = () => {
          requesting.delete(wake)
          resolve()
        }
        requesting.add(wake)
      }),
    setBlind: (value: boolean) => {
      blind = value
    },
    newEpoch: () => {
      epoch = randomUUID()
      number = 0
      previous = emptyHash
    },
    /** Ends all streams; clients come back. */
    cutStreams: () => {
      for (const stream of streams) stream.destroy()
    },
    /** Ends all streams in good order, after what was sent. */
    endStreams: () => {
      for (const stream of streams) stream.end()
    },
    close: listening.close,
  }
}

export type TestFeed = Awaited<ReturnType<typeof createTestFeed>>
