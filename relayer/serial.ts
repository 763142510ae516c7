/**
 * Runs tasks one after the other; a failed task does not hold up the next. Urgent ones go before all that wait, each
 * kind in the order of the calls.
 */
export type Serial = <T>(task: () => Promise<T>, priority?: 'urgent') => Promise<T>

export function createSerial(): Serial {
  const urgent: (() => Promise<void>)[] = []
  const waiting: (() => Promise<void>)[] = []
  let running = false

  const run = async (): Promise<void> => {
    running = true
    for (
      let next = urgent.shift() ?? waiting.shift();
      next !== undefined;
      next = urgent.shift() ?? waiting.shift()
    ) {
      await next()
    }
    running = false
  }

  return (task, priority) =>
    new Promise((resolve, reject) => {
      const queue = priority === 'urgent' ? urgent : waiting
      queue.push(() => task().then(resolve, reject))
      if (!running) void run()
    })
}
