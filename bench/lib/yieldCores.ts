import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { letOthersGoFirst } from '../../scripts/lib/schedule.ts'

/** How much less processor time than the relayer and the node: nice values. */
export const yielding = { enforcer: 10, client: 19 } as const

/**
 * Has a process that stands for other machines take what the relayer and the node leave of this one's cores. Anybody
 * may lower a priority; Linux may weigh sessions rather than processes (autogroup), and each child has a session.
 */
export function yieldCores(pid: number | undefined, by: number): void {
  if (pid === undefined) return
  setPriority(pid, by)
  letOthersGoFirst(pid)
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(by))
  } catch {
    // Not Linux, or built without autogroups: the priority alone counts.
  }
}
