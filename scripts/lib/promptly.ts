import { existsSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

const perl = '/usr/bin/perl'
const wrapper = path.resolve(import.meta.dirname, '../promptly.pl')

/**
 * A command to be run as docs/operator.md advises for a relayer: served at once, whatever else keeps the processor busy. As it is
 * where there is no Linux or no Perl.
 */
export const promptly = (command: string, args: readonly string[]): readonly [string, readonly string[]] =>
  process.platform === 'linux' && existsSync(perl) ? [perl, [wrapper, command, ...args]] : [command, args]
