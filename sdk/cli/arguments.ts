import { stringToBytes } from 'viem'
import { firstReservedReason, maxTextBytes, Reason, reasonName } from '../../protocol/reason.ts'
import {
  InvalidSpiffeIdError,
  isReservedType,
  parseSpiffeId,
  type SpiffeId,
} from '../../protocol/spiffeId.ts'
import { CliError } from './cliError.ts'
import { exitCode } from './exitCode.ts'
import { OptionError } from './options.ts'
import { integerOf, type Settings } from './settings.ts'

/** An argument too many, too few or malformed. */
export class ArgumentError extends CliError {
  override readonly name = 'ArgumentError'
  constructor(message: string, cause?: unknown) {
    super(exitCode.usage, message, { cause })
  }
}

export function noMore(args: readonly string[], count: number): void {
  const extra = args[count]
  if (extra !== undefined) throw new ArgumentError(`"${extra}" is an argument too many; --help shows the use`)
}

export type AgentArgument = SpiffeId & { readonly spiffeId: string }

/** @throws {ArgumentError} also for an identity of an enrolled workload, which no kill covers */
export function agentArgument(text: string): AgentArgument {
  try {
    const id = parseSpiffeId(text)
    if (isReservedType(id.type)) {
      throw new ArgumentError(
        `${text} is no agent but a workload that an operator enrolled; its operator withdraws it at the relayer`,
      )
    }
    return { ...id, spiffeId: text }
  } catch (error) {
    if (error instanceof InvalidSpiffeIdError) throw new ArgumentError(error.message, error)
    throw error
  }
}

/** `<spiffe id>` or `--all`, one of the two: null stands for all. */
export function agentOrAll(settings: Settings, args: readonly string[]): AgentArgument | null {
  noMore(args, 1)
  const all = settings.has('all')
  const [text] = args
  if (text === undefined && !all) throw new ArgumentError('name an agent by its SPIFFE ID, or --all')
  if (text !== undefined && all) throw new ArgumentError(`--all and ${text} contradict each other; give one`)
  const wallet = settings.get('wallet')
  if (wallet !== undefined && !all) throw new OptionError(wallet.source, 'goes with --all only')
  return text === undefined ? null : agentArgument(text)
}

/** `policy-violation` for PolicyViolation. */
const reasonFlag = (code: number): string => reasonName(code).replaceAll(' ', '-')

/** @throws {OptionError} */
export function reasonOf(settings: Settings): number {
  const setting = settings.get('reason')
  if (setting === undefined) return Reason.Unspecified
  const named = Object.values(Reason).filter((code) => code < firstReservedReason)
  const code = named.find((one) => reasonFlag(one) === setting.value)
  if (code !== undefined) return code
  if (/^[0-9]+$/.test(setting.value)) return integerOf(setting, 0, firstReservedReason - 1)
  throw new OptionError(
    setting.source,
    `must be one of ${named.map(reasonFlag).join(', ')}, or a code from 0 to ${firstReservedReason - 1}`,
  )
}

/** @throws {OptionError} */
export function textOf(settings: Settings): string {
  const setting = settings.get('text')
  if (setting === undefined) return ''
  if (/\p{Cs}/u.test(setting.value)) throw new OptionError(setting.source, 'is not well-formed Unicode')
  const length = stringToBytes(setting.value).length
  if (length > maxTextBytes)
    throw new OptionError(setting.source, `is ${length} bytes long, at most ${maxTextBytes} are allowed`)
  return setting.value
}

/** Limit for watching confirmations, in ms. @throws {OptionError} */
export function waitOf(settings: Settings): number {
  const setting = settings.get('wait')
  return setting === undefined ? 30_000 : integerOf(setting, 0, 3600) * 1000
}

/** `compromised: key leaked` */
export const reasonText = (reason: number, text: string): string =>
  text === '' ? reasonName(reason) : `${reasonName(reason)}: ${text}`
