import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { setSlice } from '../../scripts/lib/schedule.ts'

/**
 * How far behind what is measured, by nice values and slices (ms). Slices are longer than Linux's own (1.4 ms on
 * two cores), so that also its threads for disk and network go first.
 */
export const yielding = {
  enforcer: { nice: 10, slice: 2 },
  client: { nice: 19, slice: 5 },
} as const

/**
 * Has a process that stands for other machines take what the relayer and the node leave of this one's cores. Anybody
 * may lower a priority; Linux may weigh sessions rather than processes (autogroup), and each child has a session.
 */
export function yieldCores(
  pid: number | undefined,
  { nice, slice }: (typeof yielding)[keyof typeof yielding],
): void {
  if (pid === undefined) return
  setPriority(pid, nice)
  setSlice(pid, slice)
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(nice))
  } catch {
    // Not Linux, or built without autogroups: the priority alone counts.
  }
}
