// The least that fans events out: what any server on this machine needs for so many subscribers.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import process from 'node:process'
import { monotonicNow } from '../../scripts/lib/monotonic.ts'
import { onParent, tellParent } from '../../scripts/lib/parent.ts'
import type { BareStreamMessage, PublishCommand } from '../lib/fleetMessages.ts'

const subscribers = new Set<ServerResponse>()
const server = createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.socket?.setNoDelay(true)
  response.write(': welcome\n\n')
  subscribers.add(response)
  response.once('close', () => subscribers.delete(response))
})
server.listen(0, '127.0.0.1', () =>
  tellParent<BareStreamMessage>({
    type: 'ready',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  }),
)
onParent<PublishCommand>('publish', ({ frame }) => {
  const bytes = Buffer.from(frame)
  const at = monotonicNow()
  for (const response of subscribers) response.write(bytes)
  tellParent<BareStreamMessage>({ type: 'published', at })
})
process.channel?.ref()
process.once('SIGTERM', () => process.exit(0))
