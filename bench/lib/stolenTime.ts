import { readFileSync } from 'node:fs'
import os from 'node:os'
import { tick } from './cpuTime.ts'

/** Processor time, of all cores together, that others on the same host have taken from this machine since it started, in ms. */
export function stolenTime(stat: string): number {
  // proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal
  const steal = /^cpu +(?:\d+ +){7}(\d+)/.exec(stat)?.[1]
  return steal === undefined ? Number.NaN : Number(steal) * tick
}

/** Begins to look. @returns the share of this machine's processor time that was taken since, in percent; NaN where nobody says */
export function watchStolenTime(): () => number {
  const read = (): number => {
    try {
      return stolenTime(readFileSync('/proc/stat', 'utf8'))
    } catch {
      return Number.NaN
    }
  }
  const before = { stolen: read(), at: performance.now() }
  return () =>
    (100 * (read() - before.stolen)) / ((performance.now() - before.at) * os.availableParallelism())
}
