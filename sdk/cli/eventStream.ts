import { RelayerUnreachableError } from './relayer.ts'

export type StreamEvent = { readonly type: string; readonly data: string }

/** No event of a relayer is longer; a stream that never ends a line must not fill the memory. */
const maxEvent = 1_048_576

/**
 * Splits text/event-stream into events (HTML standard, section 9.2.6); comments and unknown fields fall away.
 * @throws {Error} for an event that is too long
 */
export async function* parseEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  let type = ''
  let data: string[] = []
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true })
    if (rest.length > maxEvent) throw new Error(`an event is longer than ${maxEvent} bytes`)
    // A carriage return at the end may be the first half of a line end.
    const held = rest.endsWith('\r') ? '\r' : ''
    const lines = rest.slice(0, rest.length - held.length).split(/\r\n|\n|\r/)
    rest = (lines.pop() ?? '') + held
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { type: type === '' ? 'message' : type, data: data.join('\n') }
        type = ''
        data = []
        continue
      }
      const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
      if (field === 'event') type = value ?? ''
      if (field === 'data') data.push(value ?? '')
    }
  }
}

/** @throws {RelayerUnreachableError} */
export async function* eventsOf(
  relayer: string,
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<StreamEvent> {
  try {
    const response = await fetch(`${relayer}${path}`, {
      redirect: 'error',
      headers: { accept: 'text/event-stream' },
      ...(signal === undefined ? {} : { signal }),
    })
    if (!response.ok || response.body === null)
      throw new RelayerUnreachableError(relayer, `answers ${path} with HTTP status ${response.status}`)
    yield* parseEvents(response.body)
  } catch (error) {
    if (error instanceof RelayerUnreachableError) throw error
    const { code } = ((error as { cause?: unknown }).cause ?? {}) as { code?: string }
    throw new RelayerUnreachableError(
      relayer,
      `cannot be followed${code === undefined ? '' : ` (${code})`}`,
      error,
    )
  }
}
