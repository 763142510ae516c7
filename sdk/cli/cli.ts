import { CliError } from './cliError.ts'
import type { Command, Context } from './command.ts'
import { agentsCommand } from './commands/agents.ts'
import { burnCommand } from './commands/burn.ts'
import { guardianCommands } from './commands/guardians.ts'
import { killCommand } from './commands/kill.ts'
import { orderCommands } from './commands/orders.ts'
import { registerCommand } from './commands/register.ts'
import { resumeCommand } from './commands/resume.ts'
import { statusCommand } from './commands/status.ts'
import { watchCommand } from './commands/watch.ts'
import { type ExitCode, exitCode, exitCodeHelp } from './exitCode.ts'
import { OptionError, optionsHelp, parseFlags } from './options.ts'
import { optionTable } from './optionTable.ts'
import { readSettings } from './settings.ts'
import type { Surroundings } from './surroundings.ts'

const commands: readonly Command[] = [
  killCommand,
  statusCommand,
  agentsCommand,
  registerCommand,
  resumeCommand,
  ...guardianCommands,
  burnCommand,
  ...orderCommands,
  watchCommand,
]

function help(): string {
  const width = Math.max(...commands.map(({ usage }) => usage.length))
  const lines = commands.map(({ usage, summary }) => `  killswitch ${usage.padEnd(width)}  ${summary}`)
  return `Stop AI agents, and see them stopped.

${lines.join('\n')}

Each command has --help. Flags win over environment variables, these over the configuration file. Without a terminal
nothing is asked.

${exitCodeHelp}
`
}

const commandHelp = ({ usage, summary, details, options }: Command): string =>
  `killswitch ${usage}

${summary.charAt(0).toUpperCase()}${summary.slice(1)}.
${details === undefined ? '' : `${details}\n`}
${optionsHelp(optionTable.filter(({ name }) => options.includes(name)))}

${exitCodeHelp}
`

/** The command whose words stand first, and its arguments. @throws {CliError} */
function findCommand(words: readonly string[]): { command: Command; args: readonly string[] } {
  const command = commands.find(({ name }) => {
    const parts = name.split(' ')
    return parts.every((part, i) => words[i] === part)
  })
  if (command !== undefined) return { command, args: words.slice(command.name.split(' ').length) }
  const [first] = words
  const group = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name)
  if (group.length > 0) throw new CliError(exitCode.usage, `${first}: one of ${group.join(', ')}`)
  throw new CliError(exitCode.usage, `"${first}" is no command; killswitch --help lists them`)
}

/**
 * Runs the program and returns its exit code. Never throws.
 * @param version what `--version` prints
 */
export async function runCli(
  args: readonly string[],
  surroundings: Surroundings,
  version: string,
): Promise<ExitCode> {
  // Known before the options are, so that their errors come as JSON too.
  const json = args.includes('--json')
  try {
    const flags = parseFlags(args, optionTable)
    if (flags.settings.has('version')) {
      surroundings.out(`${version}\n`)
      return exitCode.done
    }
    const [first] = flags.arguments
    if (first === undefined || (first === 'help' && flags.arguments.length === 1)) {
      surroundings.out(help())
      return first === undefined && !flags.settings.has('help') ? exitCode.usage : exitCode.done
    }
    const { command, args: rest } = findCommand(first === 'help' ? flags.arguments.slice(1) : flags.arguments)
    if (flags.settings.has('help') || first === 'help') {
      surroundings.out(commandHelp(command))
      return exitCode.done
    }
    for (const [name, [setting]] of flags.settings) {
      if (!command.options.includes(name))
        throw new OptionError(setting?.source ?? name, `is no option of killswitch ${command.name}`)
    }
    const settings = readSettings(args, optionTable, surroundings)
    const say = (line: string) => (json ? surroundings.err : surroundings.out)(`${line}\n`)
    const context: Context = { settings, surroundings, say }
    const outcome = await command.run(context, rest)
    if (json)
      surroundings.out(`${JSON.stringify({ ok: outcome.exitCode === exitCode.done, ...outcome.json })}\n`)
    return outcome.exitCode
  } catch (error) {
    const known = error instanceof CliError
    const message = known
      ? error.message
      : `this is a bug: ${error instanceof Error ? error.stack : String(error)}`
    const code = known ? error.exitCode : exitCode.failed
    if (json) {
      const details = known ? error.details : {}
      surroundings.out(`${JSON.stringify({ ok: false, exitCode: code, error: message, ...details })}\n`)
    }
    surroundings.err(`killswitch: ${message}\n`)
    return code
  }
}
