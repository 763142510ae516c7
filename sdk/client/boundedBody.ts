export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError'
  readonly limit: number
  constructor(limit: number) {
    super(`the answer is longer than ${limit} bytes; is this URL a Killswitch relayer's?`)
    this.limit = limit
  }
}

/**
 * Reads a body as UTF-8 text.
 * @throws {BodyTooLargeError} as soon as the limit is passed, not after
 */
export async function readBounded(body: AsyncIterable<Uint8Array> | null, limit: number): Promise<string> {
  const decoder = new TextDecoder()
  let size = 0
  let text = ''
  for await (const chunk of body ?? []) {
    size += chunk.length
    if (size > limit) throw new BodyTooLargeError(limit)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
