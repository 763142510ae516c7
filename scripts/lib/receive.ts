import type { Child } from './children.ts'
import { SetupError } from './setupError.ts'

/** The next message of a type from a child. @throws {SetupError} when it ends or says nothing for too long */
export async function receive<M extends { readonly type: string }, T extends M['type']>(
  child: Child,
  type: T,
  timeout = 60_000,
): Promise<Extract<M, { readonly type: T }>> {
  let stop = (): void => {}
  try {
    return await Promise.race([
      child.ended,
      new Promise<Extract<M, { readonly type: T }>>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new SetupError(`${child.name} said nothing of "${type}" within ${timeout / 1000} s`)),
          timeout,
        )
        const listener = (message: unknown): void => {
          if ((message as M).type === type) resolve(message as Extract<M, { readonly type: T }>)
        }
        child.process.on('message', listener)
        stop = () => {
          clearTimeout(timer)
          child.process.off('message', listener)
        }
      }),
    ])
  } finally {
    stop()
  }
}
