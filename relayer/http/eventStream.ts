import type { ServerResponse } from 'node:http'

/** Plain server-sent events for people who watch; unsigned and without replay, unlike the feed. */
export type EventStream = {
  /** At most 1,000; the one that watches longest gives way. */
  subscribe(response: ServerResponse): void
  /** Whether anybody watches. */
  watched(): boolean
  send(event: string, data: unknown): void
  /** A comment that keeps proxies from closing the stream. */
  keepAlive(): void
  close(): void
}

/** bytes */
const maxUnread = 256 * 1024
const maxSubscribers = 1_000

export function createEventStream(): EventStream {
  const subscribers = new Set<ServerResponse>()
  const write = (text: string) => {
    for (const response of subscribers) {
      if (response.writableLength > maxUnread) response.destroy()
      else response.write(text)
    }
  }
  return {
    watched: () => subscribers.size > 0,
    subscribe(response) {
      if (subscribers.size >= maxSubscribers) subscribers.values().next().value?.destroy()
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      response.write(': welcome\n\n')
      subscribers.add(response)
      response.on('close', () => subscribers.delete(response))
      response.on('error', () => subscribers.delete(response))
    },
    send: (event, data) => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
    keepAlive: () => write(': still here\n\n'),
    close() {
      for (const response of subscribers) response.end()
      subscribers.clear()
    },
  }
}
