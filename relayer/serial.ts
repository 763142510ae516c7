import { setImmediate as immediate } from 'node:timers/promises'

/**
 * Runs tasks one after the other; a failed task does not hold up the next. Urgent ones go before all that wait, each
 * kind in the order of the calls. Between tasks that are not urgent the event loop turns: the store answers within the
 * tick, so a queue of them would otherwise hold up the sockets on which kills arrive until it is empty.
 */
export type Serial = <T>(task: () => Promise<T>, priority?: 'urgent') => Promise<T>

/** @param isHeld while it says so only urgent tasks begin; it must not for long, for the event loop turns without a pause */
export function createSerial(isHeld: () => boolean = () => false): Serial {
  const urgent: (() => Promise<void>)[] = []
  const waiting: (() => Promise<void>)[] = []
  let running = false

  const run = async (): Promise<void> => {
    running = true
    while (urgent.length + waiting.length > 0) {
      if (urgent.length === 0 && isHeld()) {
        await immediate()
        continue
      }
      await (urgent.shift() ?? waiting.shift())?.()
      if (urgent.length === 0 && waiting.length > 0) await immediate()
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
