/** One event of a `text/event-stream` (WHATWG HTML, section 9.2). */
export type StreamEvent = { readonly event: string; readonly data: string }

export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError'
  readonly limit: number
  constructor(limit: number) {
    super(`an event of the stream is longer than ${limit} characters; the stream is dropped`)
    this.limit = limit
  }
}

/**
 * Cuts a stream into events. Ids are left out: the feed's position comes from signed messages, not from the stream.
 * @param limit longest event with all its lines, in characters
 */
export function createEventStreamReader(limit: number): {
  /** @throws {EventTooLargeError} */
  readonly push: (text: string) => readonly StreamEvent[]
} {
  // Without a line end so far: gathered unread, so that a stream that comes byte by byte costs no more than another.
  let begun: string[] = []
  let begunLength = 0
  let event = ''
  let data: string[] = []
  let size = 0

  const takeLine = (line: string, events: StreamEvent[]): void => {
    if (line === '') {
      if (data.length > 0 || event !== '') events.push({ event: event || 'message', data: data.join('\n') })
      event = ''
      data = []
      size = 0
      return
    }
    size += line.length
    if (size > limit) throw new EventTooLargeError(limit)
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') event = value
    else if (field === 'data') data.push(value)
  }

  return {
    push(text) {
      const events: StreamEvent[] = []
      begun.push(text)
      begunLength += text.length
      if (!/[\r\n]/.test(text) && begun.at(-2)?.endsWith('\r') !== true) {
        if (begunLength > limit) throw new EventTooLargeError(limit)
        return events
      }
      let rest = begun.join('')
      // A carriage return at the very end may be half of a line end: it waits for what follows.
      const ends = /\r\n|\n|\r(?!$)/g
      let start = 0
      for (let end = ends.exec(rest); end !== null; end = ends.exec(rest)) {
        takeLine(rest.slice(start, end.index), events)
        start = end.index + end[0].length
      }
      rest = rest.slice(start)
      begun = [rest]
      begunLength = rest.length
      if (rest.length > limit) throw new EventTooLargeError(limit)
      return events
    },
  }
}
