import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

const perl = '/usr/bin/perl'
const script = path.resolve(import.meta.dirname, '../schedule.pl')

/** Without Linux or Perl everything runs as ever. */
const isKnown = process.platform === 'linux' && existsSync(perl)

/** A slice of the processor for what is to be served at once, in ms; Linux's own are of 1.4 ms or more. */
const promptSlice = 0.1
/** A nice value, taken where it may be: what is prompt is not to wait for others when it has just been busy. */
const aheadOfOthers = -10

/** A command to be run as docs/operator.md advises for a relayer: served at once, whatever else keeps the processor busy. */
export const promptly = (command: string, args: readonly string[]): readonly [string, readonly string[]] =>
  isKnown
    ? [perl, [script, '--slice', String(promptSlice), '--nice', String(aheadOfOthers), command, ...args]]
    : [command, args]

/** Has a process of ours served after all that have shorter slices than these, in ms. */
export function setSlice(pid: number, slice: number): void {
  if (isKnown) execFileSync(perl, [script, '--slice', String(slice), '--pid', String(pid)])
}
