import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

const perl = '/usr/bin/perl'
const script = path.resolve(import.meta.dirname, '../schedule.pl')

/** Without Linux or Perl everything runs as ever. */
const isKnown = process.platform === 'linux' && existsSync(perl)

/** Slices of the processor, in ms: of what is to be served at once, and a little longer than Linux's own. */
const slice = { short: 0.1, long: 3.5 } as const

/**
 * A command to be run as docs/operator.md advises for a relayer: served at once, whatever else keeps the processor busy.
 * @param nice taken only where it may be
 */
export const promptly = (
  command: string,
  args: readonly string[],
  nice?: number,
): readonly [string, readonly string[]] =>
  isKnown
    ? [
        perl,
        [
          script,
          ...['--slice', String(slice.short)],
          ...(nice === undefined ? [] : ['--nice', String(nice)]),
          command,
          ...args,
        ],
      ]
    : [command, args]

/** Has all others go first, also the kernel's own threads that end what was asked of a disk. */
export function letOthersGoFirst(pid: number): void {
  if (isKnown) execFileSync(perl, [script, '--slice', String(slice.long), '--pid', String(pid)])
}
