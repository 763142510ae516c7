// Many subscribers of one feed in one process: they read the stream and note when kills come.
import { connect, type Socket } from 'node:net'
import process from 'node:process'
import { monotonicNow } from '../../scripts/lib/monotonic.ts'
import { onParent, tellParent } from '../../scripts/lib/parent.ts'
import type { SubscribeCommand, SubscriberMessage } from '../lib/fleetMessages.ts'
import { loopbackAddress } from '../lib/loopback.ts'

/** How many connections are being made at once. */
const parallel = 100

let open: Socket[] = []
let arrivals = new Map<string, number[]>()
let frame = ''

const killMark = Buffer.from('event: kill\n')

const note = (chunk: Buffer): void => {
  const at = monotonicNow()
  // A frame is written at once and is far smaller than a socket's buffer; one that is split is not counted.
  if (!chunk.includes(killMark)) return
  const text = chunk.toString('latin1')
  for (const [, killId] of text.matchAll(/event: kill\n[^\n]*"killId":"([^"]+)"/g)) {
    if (killId === undefined) continue
    const had = arrivals.get(killId)
    if (had === undefined) arrivals.set(killId, [at])
    else had.push(at)
  }
  frame = /id: [^\n]*\nevent: kill\n(?:data: [^\n]*\n)+\n/.exec(text)?.[0] ?? frame
}

const subscribe = (stream: URL, index: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const localAddress = loopbackAddress('subscribers', index)
    const socket = connect({
      host: stream.hostname,
      port: Number(stream.port),
      ...(localAddress === undefined ? {} : { localAddress }),
    })
    socket.setNoDelay(true)
    socket.write(
      `GET ${stream.pathname} HTTP/1.1\r\nhost: ${stream.host}\r\naccept: text/event-stream\r\n\r\n`,
    )
    socket.once('data', () => {
      open.push(socket)
      resolve()
    })
    socket.on('data', note)
    socket.on('error', reject)
    socket.once('close', () => {
      open = open.filter((one) => one !== socket)
    })
  })

async function hold({ stream, count }: SubscribeCommand): Promise<void> {
  for (const socket of open.slice(count)) socket.destroy()
  open = open.slice(0, count)
  const url = new URL(stream)
  while (open.length < count) {
    const batch = Math.min(parallel, count - open.length)
    const from = open.length
    await Promise.all(Array.from({ length: batch }, (_, index) => subscribe(url, from + index)))
  }
  tellParent<SubscriberMessage>({ type: 'subscribed', open: open.length })
}

onParent<SubscribeCommand>('subscribe', (command) => {
  hold(command).catch((error: Error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
})
onParent<{ readonly type: 'collect' }>('collect', () => {
  tellParent<SubscriberMessage>({
    type: 'collected',
    deliveries: [...arrivals].map(([killId, times]) => ({ killId, arrivals: times })),
    frame,
  })
  arrivals = new Map()
})
process.channel?.ref()
process.once('SIGTERM', () => process.exit(0))
