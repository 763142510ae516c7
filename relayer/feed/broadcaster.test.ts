import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { RevocationRow } from '../../protocol/revocation.ts'
import { fleetTarget } from '../../protocol/scope.ts'
import { createBroadcaster } from './broadcaster.ts'
import { type LastMessage, noMessage, type SignedMessage, signAnnouncements } from './position.ts'

const feed = { relayer: 'r', deployment: 'd', epoch: 'e' }
const sign = () => new Uint8Array(64)
const row: RevocationRow = {
  ...fleetTarget,
  provisional: true,
  finalSequence: 0,
  rank: 3,
  reason: 0,
  text: '',
  killId: 'k',
}
const messages = (count: number, last: LastMessage = noMessage, text = ''): readonly SignedMessage[] =>
  signAnnouncements(
    feed,
    last,
    Array.from({ length: count }, () => ({ type: 'kill' as const, row: { ...row, text } })),
    1,
    sign,
  )

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

/** A broadcaster behind a real socket that has published these messages. */
async function world(
  published: readonly SignedMessage[],
  {
    wall = () => 1000,
    monotonic = () => 0,
    before = noMessage,
  }: { wall?: () => number; monotonic?: () => number; before?: LastMessage } = {},
) {
  let slow = 0
  let signatures = 0
  const broadcaster = createBroadcaster({
    feed,
    lastMessage: before,
    sign: () => {
      signatures += 1
      return sign()
    },
    clock: { wall, monotonic },
    chainView: () => ({ head: null, grantPoint: null, blind: false }),
    rows: () => [row],
    onSlow: () => {
      slow += 1
    },
  })
  broadcaster.publish(published)
  const server = createServer((request, response) =>
    broadcaster.subscribe(response, (request.headers['last-event-id'] as string | undefined) ?? null),
  )
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  )
  cleanUps.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const open = (lastEventId?: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const request = get(
        {
          host: '127.0.0.1',
          port,
          agent: false,
          ...(lastEventId === undefined ? {} : { headers: { 'last-event-id': lastEventId } }),
        },
        resolve,
      )
      request.on('error', reject)
    })
  /** Events up to and including the first heartbeat. */
  const events = async (response: IncomingMessage) => {
    let text = ''
    for await (const chunk of response) {
      text += String(chunk)
      if (/event: heartbeat\n(data: .*\n){2}\n/.test(text)) break
    }
    return [...text.matchAll(/event: (\w+)/g)].map((match) => match[1])
  }
  return { broadcaster, open, events, slow: () => slow, signatures: () => signatures }
}

test('a subscriber without a place is sent to the snapshot; with one it gets what it missed', async () => {
  const { open, events } = await world(messages(3))
  expect(await events(await open())).toEqual(['reset', 'heartbeat'])
  expect(await events(await open('e.1'))).toEqual(['kill', 'kill', 'heartbeat'])
  expect(await events(await open('e.3'))).toEqual(['heartbeat'])
})

test.each(['f.1', 'e.99', 'e.-1', 'e.x', 'nothing'])(
  'Last-Event-ID %s is no place in this feed',
  async (id) => {
    const { open, events } = await world(messages(3))
    expect(await events(await open(id))).toEqual(['reset', 'heartbeat'])
  },
)

test('who missed more than is kept, or messages of before this epoch, is sent to the snapshot', async () => {
  const many = messages(4_100)
  const { open, events } = await world(many)
  expect(await events(await open('e.0'))).toEqual(['reset', 'heartbeat'])
  expect(await events(await open('e.3099'))).toEqual(['reset', 'heartbeat'])
  expect(await events(await open('e.3100'))).toEqual([...Array(1_000).fill('kill'), 'heartbeat'])

  const before = many[1] as SignedMessage
  const later = await world(messages(1, before), { before })
  expect(await later.events(await later.open('e.1'))).toEqual(['reset', 'heartbeat'])
  expect(await later.events(await later.open('e.2'))).toEqual(['kill', 'heartbeat'])
})

test('a storm of subscribers costs one signature', async () => {
  const { open, events, signatures } = await world(messages(3))
  const streams = await Promise.all(Array.from({ length: 50 }, () => open('e.2')))
  for (const stream of streams) expect(await events(stream)).toEqual(['kill', 'heartbeat'])
  expect(signatures()).toBe(1)
})

test('a storm for the snapshot costs one signature too, until a message comes', async () => {
  const { broadcaster, signatures } = await world(messages(3))
  const bytes = broadcaster.snapshot()
  for (let i = 0; i < 100; i += 1) expect(broadcaster.snapshot()).toBe(bytes)
  expect(signatures()).toBe(1)
  broadcaster.publish(messages(4).slice(3))
  expect(broadcaster.snapshot()).not.toBe(bytes)
})

test('one decision of very many messages cuts off nobody who reads', async () => {
  const { broadcaster, open, slow } = await world([])
  const reader = await open()
  let seen = 0
  const all = new Promise<void>((resolve) =>
    reader.on('data', (chunk) => {
      seen += String(chunk).split('event: kill').length - 1
      if (seen >= 9_990) resolve()
    }),
  )
  broadcaster.publish(messages(10_000))
  await all
  expect(slow()).toBe(0)
})

test('who missed more bytes than he may leave unread is sent to the snapshot, not cut for them', async () => {
  const many = messages(1_000, noMessage, '"'.repeat(256))
  const { open, events } = await world(many)
  expect(await events(await open('e.100'))).toEqual(['reset', 'heartbeat'])
  expect(await events(await open('e.900'))).toEqual([...Array(100).fill('kill'), 'heartbeat'])
})

test('a reader that does not read is cut off and the others go on', async () => {
  const { broadcaster, open, events, slow } = await world([])
  const stuck = await open()
  stuck.pause()
  const reader = await open()
  reader.resume()
  let last: LastMessage = noMessage
  // Enough to fill the kernel's buffers on both sides and the broadcaster's own limit.
  for (let round = 0; round < 400 && slow() === 0; round += 1) {
    const batch = messages(200, last)
    last = batch.at(-1) as SignedMessage
    broadcaster.publish(batch)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(slow()).toBe(1)
  expect(await events(await open(`e.${last.number}`))).toEqual(['heartbeat'])
})

test('the time of heartbeats and snapshots grows even when the wall clock goes back', async () => {
  let now = 5000
  let monotonic = 0
  const { broadcaster } = await world([], { wall: () => now, monotonic: () => monotonic })
  const time = () => JSON.parse(String(broadcaster.snapshot()).split('\n')[0] as string).time as number
  const first = time()
  now = 1000
  monotonic += 1000
  expect(time()).toBeGreaterThan(first)
})

/** Subscribers without sockets, turns of the event loop and a clock by hand. */
function handWorld() {
  const turns: (() => void)[] = []
  const held: (() => void)[] = []
  let isHeld = false
  const timers: { readonly delay: number; readonly task: () => void }[] = []
  const broadcaster = createBroadcaster({
    feed,
    lastMessage: noMessage,
    sign,
    clock: { wall: () => 1000, monotonic: () => 0 },
    chainView: () => ({ head: null, grantPoint: null, blind: false }),
    rows: () => [row],
    later: (task) => void turns.push(task),
    hold: { later: (task) => void (isHeld ? held : turns).push(task) },
    schedule: (delay, task) => {
      timers.push({ delay, task })
      return () => void timers.splice(0)
    },
  })
  /** @returns the ids that it is written, and how many writes that were */
  const subscribe = () => {
    const ids: string[] = []
    const writes: number[] = []
    broadcaster.subscribe(
      {
        ...{ removeHeader() {}, writeHead() {}, on() {}, end() {}, writableLength: 0 },
        write: (bytes: Buffer) => {
          const found = [...String(bytes).matchAll(/^id: (.*)$/gm)].map((match) => match[1] as string)
          ids.push(...found)
          writes.push(found.length)
        },
      } as unknown as ServerResponse,
      'e.0',
    )
    return { ids, writes }
  }
  const turnAll = () => {
    for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) turn()
  }
  const hold = () => {
    isHeld = true
  }
  const free = () => {
    isHeld = false
    turns.push(...held.splice(0))
  }
  return { broadcaster, subscribe, turns, turnAll, timers, hold, free }
}

test('many subscribers are written to in turns of the event loop, each message once and in order', () => {
  const { broadcaster, subscribe, turns, turnAll } = handWorld()
  const all = Array.from({ length: 600 }, () => subscribe().ids)
  const having = (id: string) => all.filter((written) => written.includes(id)).length
  const four = messages(4)
  broadcaster.publish(four.slice(0, 1))
  expect(having('e.1')).toBe(250)
  broadcaster.publish(four.slice(1, 2))
  expect(having('e.2')).toBe(0)
  const late = subscribe().ids
  turns.shift()?.()
  expect(having('e.1')).toBe(500)
  broadcaster.publish(four.slice(2, 3))
  broadcaster.heartbeat()
  turnAll()
  for (const written of all) expect(written).toEqual(['e.0', 'e.1', 'e.2', 'e.3', 'e.3'])
  expect(late).toEqual(['e.1', 'e.2', 'e.2', 'e.3', 'e.3'])

  // A heartbeat goes out in turns too, and names the last message of whoever it comes to.
  broadcaster.heartbeat()
  expect(all.filter(({ length }) => length === 6)).toHaveLength(250)
  broadcaster.publish(four.slice(3))
  turnAll()
  expect(all.filter((written) => written.slice(5).join() === 'e.3,e.4')).toHaveLength(250)
  expect(all.filter((written) => written.slice(5).join() === 'e.4,e.4')).toHaveLength(350)
})

test('what stops nobody is gathered for 250 ms, or goes with the next kill or heartbeat in one write', () => {
  const { broadcaster, subscribe, turnAll, timers } = handWorld()
  const of = (type: SignedMessage['type'], { number, hash }: LastMessage) =>
    signAnnouncements(feed, { number, hash }, [{ type, row }], 1, sign)
  const published: SignedMessage[] = []
  const publish = (...types: SignedMessage['type'][]) => {
    for (const type of types) {
      const made = of(type, published.at(-1) ?? noMessage)
      published.push(...made)
      broadcaster.publish(made)
    }
    turnAll()
  }
  const [one, other] = [subscribe(), subscribe()]
  const news = () => {
    const had = one.ids.splice(0)
    expect(other.ids.splice(0)).toEqual(had)
    return [had, one.writes.splice(0)]
  }
  news()
  publish('kill')
  expect(news()).toEqual([['e.1'], [1]])
  publish('final', 'withdrawn')
  expect(news()).toEqual([[], []])
  publish('kill')
  expect(news()).toEqual([['e.2', 'e.3', 'e.4'], [3]])
  publish('resumed', 'dropped')
  broadcaster.heartbeat()
  expect(news()).toEqual([['e.5', 'e.6', 'e.6'], [3]])
  publish('final')
  expect(timers.map(({ delay }) => delay)).toEqual([250])
  for (const { task } of timers.splice(0)) task()
  expect(news()).toEqual([['e.7'], [1]])
  publish('final')
  expect(timers).toHaveLength(1)
  // Who comes meanwhile has it at once, and not again.
  const late = subscribe().ids
  expect(late.filter((id) => id === 'e.8')).toHaveLength(2)
  broadcaster.close()
  expect(news()).toEqual([['e.8'], [1]])
  expect(late).toHaveLength(9)
})

const announce = (last: LastMessage, ...types: readonly SignedMessage['type'][]) =>
  signAnnouncements(
    feed,
    last,
    types.map((type) => ({ type, row })),
    1,
    sign,
  )

test('a kill overtakes what waits while a kill is expected, and none of its turns waits', () => {
  const { broadcaster, subscribe, turns, turnAll, hold, free } = handWorld()
  const all = Array.from({ length: 600 }, () => subscribe().ids)
  const having = (id: string) => all.filter((written) => written.includes(id)).length
  const [first, second] = announce(noMessage, 'kill', 'kill') as [SignedMessage, SignedMessage]
  broadcaster.heartbeat()
  hold()
  turnAll()
  broadcaster.heartbeat()
  turnAll()
  const isDone = () => all.every((written) => written.length === 3)
  expect(isDone()).toBe(false)
  broadcaster.publish([first])
  expect(having('e.1')).toBe(250)
  // The turn that was overtaken does nothing when its time comes.
  free()
  turns.pop()?.()
  expect(having('e.1')).toBe(250)
  hold()
  turnAll()
  expect(having('e.1')).toBe(600)
  broadcaster.publish([second])
  turnAll()
  free()
  turnAll()
  for (const written of all) expect(written.filter((id) => id === 'e.2')).toHaveLength(1)
})

test('a kill that is told of first when it is final is news, and so is a resume of one', () => {
  for (const type of ['final', 'resumed'] as const) {
    const { broadcaster, subscribe } = handWorld()
    const { ids } = subscribe()
    const other = { scope: 0, subject: `0x${'0'.repeat(63)}7`, provisional: false } as const
    broadcaster.publish(
      signAnnouncements(feed, noMessage, [{ type, row: { ...row, ...other, finalSequence: 5 } }], 1, sign),
    )
    expect(ids.at(-1)).toBe('e.1')
  }
})

test('however much is gathered, everybody gets all of it once and in order', () => {
  const { broadcaster, subscribe } = handWorld()
  const { ids } = subscribe()
  let last: LastMessage = noMessage
  const publish = (type: SignedMessage['type']) => {
    const [message] = announce(last, type) as [SignedMessage]
    last = message
    broadcaster.publish([message])
  }
  for (let number = 1; number <= 4_500; number += 1) publish('final')
  publish('kill')
  expect(ids.slice(1)).toEqual(Array.from({ length: 4_501 }, (_, i) => `e.${i + 1}`))
})
