import { existsSync } from 'node:fs'
import path from 'node:path'
import { getAddress, type Hex, isAddress } from 'viem'
import {
  OptionError,
  type OptionSpec,
  parseConfigFile,
  parseEnvironment,
  parseFlags,
  type Setting,
} from './options.ts'

/** What a command was told, from flags, environment and configuration file, in this order of precedence. */
export type Settings = {
  readonly arguments: readonly string[]
  /** Where a local `npm start` or the configuration keeps keys, by name; absolute paths. */
  readonly keyFiles: Readonly<Record<string, string>>
  readonly get: (name: string) => Setting | undefined
  readonly all: (name: string) => readonly Setting[]
  readonly has: (name: string) => boolean
  /** The options named that stand in the first source that has any of them. */
  readonly together: (...names: string[]) => ReadonlyMap<string, Setting>
}

/** Where a local `npm start` says what runs where, below the working directory. */
export const localConfigFile = path.join('.killswitch', 'local.json')

/** Keys of a configuration file that are no options. */
const otherKeys = ['keyFiles', 'relayerFeedKey', 'contracts']

function parseKeyFiles(value: unknown, file: string): Record<string, string> {
  if (value === undefined) return {}
  const source = `keyFiles in ${file}`
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new OptionError(source, 'must be an object of names and files')
  return Object.fromEntries(
    Object.entries(value).map(([name, keyFile]) => {
      if (typeof keyFile !== 'string') throw new OptionError(source, `has no file for ${name}`)
      return [name, path.resolve(path.dirname(file), keyFile)]
    }),
  )
}

/**
 * @param specs every option of the program; `config` among them names the file
 * @throws {OptionError}
 */
export function readSettings(
  args: readonly string[],
  specs: readonly OptionSpec[],
  surroundings: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string },
): Settings {
  const flags = parseFlags(args, specs)
  const environment = parseEnvironment(surroundings.env, specs)
  const named = flags.settings.get('config')?.[0] ?? environment.get('config')?.[0]
  const local = path.resolve(surroundings.cwd, localConfigFile)
  const file = named === undefined ? local : path.resolve(surroundings.cwd, named.value)
  const layers = [flags.settings, environment]
  let keyFiles: Record<string, string> = {}
  if (named !== undefined || existsSync(local)) {
    const config = parseConfigFile(file, specs)
    const unknown = Object.keys(config.others).find((key) => !otherKeys.includes(key))
    // The file of a running `npm start` may be of a later version; one that was written by hand may have a slip.
    if (named !== undefined && unknown !== undefined)
      throw new OptionError(`${unknown} in ${file}`, 'is no option')
    keyFiles = parseKeyFiles(config.others.keyFiles, file)
    layers.push(config.settings)
  }
  const all = (name: string): readonly Setting[] => layers.find((layer) => layer.has(name))?.get(name) ?? []
  return {
    arguments: flags.arguments,
    keyFiles,
    all,
    get: (name) => all(name)[0],
    has: (name) => all(name).length > 0,
    together: (...names) => {
      const layer = layers.find((one) => names.some((name) => one.has(name)))
      return new Map(
        names.flatMap((name) => {
          const setting = layer?.get(name)?.[0]
          return setting === undefined ? [] : [[name, setting] as const]
        }),
      )
    },
  }
}

/** @throws {OptionError} */
export function urlOf({ value, source }: Setting): string {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new OptionError(source, 'must be an address that starts with http:// or https://')
  return value.replace(/\/+$/, '')
}

/** In lower case, for comparisons. @throws {OptionError} also for a wrong checksum (EIP-55) */
export function addressOf({ value, source }: Setting): Hex {
  if (!/^0x[0-9a-fA-F]{40}$/.test(value))
    throw new OptionError(source, 'must be an address, 0x and 40 hex digits')
  const lower = value.toLowerCase()
  if (value !== lower && !isAddress(value))
    throw new OptionError(
      source,
      `has a wrong checksum; ${getAddress(lower as Hex)} would be right, if the digits are`,
    )
  return lower as Hex
}

/** A whole number within bounds, both allowed. @throws {OptionError} */
export function integerOf({ value, source }: Setting, least: number, most: number): number {
  const number = /^[0-9]+$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= least && number <= most))
    throw new OptionError(source, `must be a whole number from ${least} to ${most}`)
  return number
}
