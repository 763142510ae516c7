import { CliError } from './cliError.ts'
import type { Context } from './command.ts'
import { exitCode } from './exitCode.ts'

/**
 * Asks on a terminal unless `--yes`. Without a terminal nobody can answer, and a kill from a script must not hang on
 * that: the command itself was the decision.
 * @throws {CliError} when the answer is not yes
 */
export async function confirm({ settings, surroundings }: Context, question: string): Promise<void> {
  if (settings.has('yes') || !surroundings.isTerminal) return
  const answer = await surroundings.ask(`${question} [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError(exitCode.cancelled, 'cancelled; nothing was sent')
}
