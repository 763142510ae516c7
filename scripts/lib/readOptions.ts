import { parseArgs } from 'node:util'
import { SetupError } from './setupError.ts'

/** A flag of a script: with `value` it takes one (`number` is a whole number within `least` and `most`). */
export type Flag = {
  readonly help: string
  readonly value?: 'number' | 'folder' | 'text'
  readonly fallback?: number | string
  readonly least?: number
  readonly most?: number
}

export type Flags = Readonly<Record<string, Flag>>

/** Values of flags by name. */
export type Options = {
  number(name: string): number
  text(name: string): string
  has(name: string): boolean
}

/** @throws {SetupError} naming the option */
export function readOptions(args: readonly string[], flags: Flags): Options {
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(flags).map(([name, flag]) => [
        name,
        { type: flag.value === undefined ? ('boolean' as const) : ('string' as const) },
      ]),
    ),
  })
  const values = new Map<string, string>()
  for (const token of tokens) {
    if (token.kind === 'positional')
      throw new SetupError(`"${token.value}" is an argument too many; --help shows the options`)
    if (token.kind !== 'option') continue
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined
    if (flag === undefined)
      throw new SetupError(`${token.rawName} is no option; --help shows those there are`)
    if (flag.value === undefined && token.value !== undefined)
      throw new SetupError(`${token.rawName} takes no value`)
    if (flag.value !== undefined && (token.value === undefined || token.value === ''))
      throw new SetupError(`${token.rawName} needs a value: ${token.rawName} <${flag.value}>`)
    if (flag.value === 'number') checkNumber(token.rawName, token.value ?? '', flag)
    values.set(token.name, token.value ?? 'true')
  }
  const get = (name: string): string => values.get(name) ?? String(flags[name]?.fallback ?? '')
  return { number: (name) => Number(get(name)), text: get, has: (name) => values.has(name) }
}

function checkNumber(name: string, value: string, { least = 0, most = Number.MAX_SAFE_INTEGER }: Flag): void {
  const number = /^[0-9]+$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= least && number <= most))
    throw new SetupError(`${name} ${value}: it must be a whole number from ${least} to ${most}`)
}

/** One line per flag. */
export function helpText(usage: string, flags: Flags): string {
  const lines = Object.entries(flags).map(([name, flag]) => {
    const left = `  --${name}${flag.value === undefined ? '' : ` <${flag.value}>`}`
    const fallback = flag.fallback === undefined ? '' : ` (default ${flag.fallback})`
    return `${left.padEnd(26)}${flag.help}${fallback}`
  })
  return [usage, '', ...lines].join('\n')
}
