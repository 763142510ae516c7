/** What a user can change: its message is one complete line. Anything else that is thrown is a bug. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
  }
}
