/** An address has more orders waiting than it may. */
export class TooManyOrdersError extends Error {
  override readonly name = 'TooManyOrdersError'
  readonly waiting: number
  constructor(waiting: number) {
    super(`${waiting} orders from this address are waiting already; send the order again in a second`)
    this.waiting = waiting
  }
}

export type Turns = <T>(key: string, task: () => Promise<T>) => Promise<T>

/**
 * Lets each key do so many things at once and makes the rest wait, so that whoever floods holds up himself only.
 * @param options.atOnce tasks of one key that run at the same time
 * @param options.waiting tasks of one key that may wait
 * @returns runs a task in its turn. @throws {TooManyOrdersError}
 */
export function createTurns(options: { readonly atOnce: number; readonly waiting: number }): Turns {
  const queues = new Map<string, { running: number; readonly waiting: (() => void)[] }>()

  return async (key, task) => {
    const queue = queues.get(key) ?? { running: 0, waiting: [] }
    queues.set(key, queue)
    if (queue.running >= options.atOnce) {
      if (queue.waiting.length >= options.waiting) throw new TooManyOrdersError(queue.waiting.length)
      // Whoever ends hands its place over, so `running` stays as it is.
      await new Promise<void>((resolve) => queue.waiting.push(resolve))
    } else {
      queue.running += 1
    }
    try {
      return await task()
    } finally {
      const next = queue.waiting.shift()
      if (next !== undefined) next()
      else {
        queue.running -= 1
        if (queue.running === 0) queues.delete(key)
      }
    }
  }
}
