import type { Serial } from '../serial.ts'

/**
 * Writes many small things together: what is handed in while others are being written goes into one commit with all
 * that waits, so that a disk's flush is paid once for all of them.
 * @param options.maxWeight how much goes into one commit; a kill waits for at most one
 * @returns hands one thing in; resolves or rejects with the commit that held it
 */
export function createGroupCommit<T>(options: {
  readonly serial: Serial
  readonly commit: (all: readonly T[]) => Promise<void>
  readonly weigh: (one: T) => number
  readonly maxWeight: number
}): (one: T) => Promise<void> {
  const { serial, commit, weigh, maxWeight } = options
  const waiting: {
    readonly one: T
    readonly resolve: () => void
    readonly reject: (error: unknown) => void
  }[] = []
  let scheduled = false

  const nextGroup = () => {
    let weight = 0
    let size = 0
    for (const { one } of waiting) {
      weight += weigh(one)
      if (size > 0 && weight > maxWeight) break
      size += 1
    }
    return waiting.splice(0, size)
  }

  const schedule = (): void => {
    if (scheduled || waiting.length === 0) return
    scheduled = true
    void serial(async () => {
      scheduled = false
      const group = nextGroup()
      schedule()
      try {
        await commit(group.map(({ one }) => one))
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    })
  }

  return (one) =>
    new Promise((resolve, reject) => {
      waiting.push({ one, resolve, reject })
      schedule()
    })
}
