import { setImmediate as immediate } from 'node:timers/promises'
import { type Hold, noHold } from './hold.ts'

/**
 * Runs tasks one after the other; a failed task does not hold up the next. Urgent ones go before all that wait, each
 * kind in the order of the calls. Between tasks that are not urgent the event loop turns: the store answers within the
 * tick, so a queue of them would otherwise hold up the sockets on which kills arrive until it is empty.
 */
export type Serial = <T>(task: () => Promise<T>, priority?: 'urgent') => Promise<T>

/** @param hold while it is on only urgent tasks begin */
export function createSerial(hold: Pick<Hold, 'isOn' | 'later'> = noHold): Serial {
  const urgent: (() => Promise<void>)[] = []
  const waiting: (() => Promise<void>)[] = []
  let running = false
  /** Ends a wait for the hold's end. */
  let wake = (): void => undefined

  const run = async (): Promise<void> => {
    running = true
    /** No task is held twice. */
    let isFree = false
    while (urgent.length + waiting.length > 0) {
      if (urgent.length === 0 && !isFree && hold.isOn()) {
        await new Promise<void>((resolve) => {
          wake = resolve
          hold.later(() => {
            isFree = true
            resolve()
          })
        })
        continue
      }
      if (urgent.length === 0) isFree = false
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
      else if (priority === 'urgent') wake()
    })
}
