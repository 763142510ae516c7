import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { CliError } from './cliError.ts'
import { exitCode } from './exitCode.ts'

/** One option. It is spelt `--name` as a flag; `env` and `config` (a key of the JSON file) are its other sources. */
export type OptionSpec = {
  readonly name: string
  readonly help: string
  /** What stands for the value in the help; a switch has none. */
  readonly value?: string
  readonly env?: string
  readonly config?: string
  readonly short?: string
  /** May be given several times. */
  readonly multiple?: boolean
}

/** The value of an option and where it came from, in the user's words. */
export type Setting = { readonly value: string; readonly source: string }

/** An option, argument or configuration that cannot be: its message names it. */
export class OptionError extends CliError {
  override readonly name = 'OptionError'
  readonly option: string
  constructor(option: string, why: string, cause?: unknown) {
    super(exitCode.usage, `${option} ${why}`, { cause, details: { option } })
    this.option = option
  }
}

export type Flags = {
  readonly arguments: readonly string[]
  readonly settings: ReadonlyMap<string, readonly Setting[]>
}

/** The option that was probably meant: one insertion, deletion, change or swap away, or a beginning. */
function nearest(name: string, specs: readonly OptionSpec[]): string {
  const close = (a: string, b: string): boolean => {
    if (b.startsWith(a) && a.length > 1) return true
    if (Math.abs(a.length - b.length) > 1) return false
    let i = 0
    while (i < a.length && a[i] === b[i]) i++
    const restA = a.slice(i)
    const restB = b.slice(i)
    return (
      restA.slice(1) === restB ||
      restA === restB.slice(1) ||
      restA.slice(1) === restB.slice(1) ||
      (restA.slice(2) === restB.slice(2) && restA[0] === restB[1] && restA[1] === restB[0])
    )
  }
  const found = specs.find((spec) => close(name, spec.name))
  return found === undefined ? '' : `; did you mean --${found.name}?`
}

/**
 * Reads a command line. Options may stand anywhere; after `--` all is arguments.
 * @throws {OptionError} naming the option
 */
export function parseFlags(args: readonly string[], specs: readonly OptionSpec[]): Flags {
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      specs.map((spec) => [
        spec.name,
        {
          type: spec.value === undefined ? ('boolean' as const) : ('string' as const),
          ...(spec.short === undefined ? {} : { short: spec.short }),
        },
      ]),
    ),
  })
  const settings = new Map<string, Setting[]>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const { name, rawName, value, inlineValue } = token
    const spec = specs.find((one) => one.name === name)
    if (spec === undefined) throw new OptionError(rawName, `is no option${nearest(name, specs)}`)
    if (spec.value === undefined && value !== undefined) throw new OptionError(rawName, 'takes no value')
    if (
      spec.value !== undefined &&
      (value === undefined || value === '' || (!inlineValue && value.startsWith('-')))
    )
      throw new OptionError(rawName, `needs a value: ${rawName} <${spec.value}>`)
    const earlier = settings.get(name) ?? []
    if (earlier.length > 0 && spec.multiple !== true) throw new OptionError(rawName, 'is given twice')
    settings.set(name, [...earlier, { value: value ?? 'true', source: rawName }])
  }
  return { arguments: positionals, settings }
}

/** What the environment sets. An empty variable counts as unset. */
export function parseEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  specs: readonly OptionSpec[],
): ReadonlyMap<string, readonly Setting[]> {
  const settings = new Map<string, Setting[]>()
  for (const spec of specs) {
    const value = spec.env === undefined ? undefined : env[spec.env]
    if (spec.env === undefined || value === undefined || value === '') continue
    if (spec.value === undefined) {
      if (value !== '0' && value !== '1') throw new OptionError(spec.env, 'must be 0 or 1')
      if (value === '0') continue
    }
    settings.set(spec.name, [{ value, source: spec.env }])
  }
  return settings
}

export type ConfigFile = {
  readonly settings: ReadonlyMap<string, readonly Setting[]>
  /** Keys that are no options, as they stand there. */
  readonly others: Readonly<Record<string, unknown>>
}

/**
 * Reads a JSON object of options. Paths in it count from its own folder: mark their specs by a value called `file` or
 * `folder`.
 * @throws {OptionError} naming file and key
 */
export function parseConfigFile(file: string, specs: readonly OptionSpec[]): ConfigFile {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const why =
      error instanceof SyntaxError
        ? `is no JSON: ${error.message}`
        : `cannot be read: ${(error as Error).message}`
    throw new OptionError(file, why, error)
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new OptionError(file, 'is no JSON object')
  const settings = new Map<string, Setting[]>()
  const others: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(content)) {
    const spec = specs.find((one) => one.config === key)
    const source = `${key} in ${file}`
    if (spec === undefined) {
      others[key] = value
      continue
    }
    const values = spec.multiple === true && Array.isArray(value) ? value : [value]
    const texts = values.map((one) => {
      if (
        spec.value === undefined
          ? typeof one === 'boolean'
          : typeof one === 'string' || typeof one === 'number'
      )
        return String(one)
      throw new OptionError(source, spec.value === undefined ? 'must be true or false' : 'must be a string')
    })
    if (spec.value === undefined && texts[0] === 'false') continue
    const isPath = spec.value === 'file' || spec.value === 'folder'
    settings.set(
      spec.name,
      texts.map((text) => ({ value: isPath ? path.resolve(path.dirname(file), text) : text, source })),
    )
  }
  return { settings, others }
}

/** Help lines of options, in two columns. */
export function optionsHelp(specs: readonly OptionSpec[]): string {
  const left = specs.map((spec) => {
    const short = spec.short === undefined ? '    ' : `-${spec.short}, `
    return `${short}--${spec.name}${spec.value === undefined ? '' : ` <${spec.value}>`}`
  })
  const width = Math.max(...left.map((text) => text.length))
  return specs
    .map((spec, i) => {
      const env = spec.env === undefined ? '' : ` [${spec.env}]`
      return `  ${(left[i] as string).padEnd(width)}  ${spec.help}${env}`
    })
    .join('\n')
}
