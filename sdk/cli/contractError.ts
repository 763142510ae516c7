import {
  BaseError,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  type Hex,
  InsufficientFundsError,
  RpcRequestError,
} from 'viem'
import { type Rank, rankName } from '../../protocol/rank.ts'
import { type Scope, scopeName, subjectLabel } from '../../protocol/scope.ts'
import { uuidFromAgentId } from '../../protocol/uuid.ts'
import { CliError } from './cliError.ts'
import { durationText, timeText } from './duration.ts'
import { exitCode } from './exitCode.ts'

/** The contract refuses: `error` is its custom error. Nothing changed. */
export class ContractRefusedError extends CliError {
  override readonly name = 'ContractRefusedError'
  readonly error: string
  constructor(error: string, message: string, details: Readonly<Record<string, unknown>>, cause: unknown) {
    super(exitCode.refused, message, { cause, details: { error, ...details } })
    this.error = error
  }
}

const subjectText = (scope: unknown, subject: unknown): string => {
  const target = { scope: scope as Scope, subject: subject as Hex }
  try {
    return `${scopeName(target.scope)} ${subjectLabel(target)}`.trim()
  } catch {
    return `${scopeName(target.scope)} ${target.subject}`
  }
}

/** What a custom error of the contract means for the person who sent the call. */
function explain(error: string, args: readonly unknown[]): string {
  const [a, b, c] = args
  switch (error) {
    case 'NotAuthorized':
      return `${a} has no kill over ${subjectText(b, c)}: it is neither its owner nor a guardian`
    case 'RankTooLow':
      return `${a} may resume up to rank ${rankName(Number(b) as Rank)}; this kill needs rank ${rankName(Number(c) as Rank)}`
    case 'OwnersKill':
      return `${subjectText(a, b)} was stopped by its owner: its owner alone resumes it (or burns its orders)`
    case 'NotKilled':
      return `${subjectText(a, b)} is not killed; there is nothing to resume`
    case 'ResumePending':
      return `a resume of ${subjectText(a, b)} is requested already; it can be executed from ${timeText(Number(c))} on`
    case 'NoResumeRequest':
      return `no resume of ${subjectText(a, b)} is pending: request it first (--request); a later kill voids a request`
    case 'CooldownRunning':
      return `the cool-down runs until ${timeText(Number(a))}, ${durationText(Number(a) - Number(b))} from now`
    case 'KeyRequired':
      return `agent ${uuidFromAgentId(a as bigint)} was transferred and needs a new key before it resumes`
    case 'UnknownAgent':
      return `agent ${uuidFromAgentId(a as bigint)} is not registered in this contract`
    case 'WalletKilled':
      return `wallet ${a} is killed: it registers nothing until it is resumed`
    case 'OrderExpired':
      return `the order's deadline ${timeText(Number(a))} has passed; sign a new one`
    case 'InvalidOrderTimes':
      return `the order's times (issued ${timeText(Number(a))}, deadline ${timeText(Number(b))}) do not fit the chain's clock (${timeText(Number(c))})`
    case 'OrderSuperseded':
      return `the order was issued at ${timeText(Number(a))}, before the resume (or lowering of the rank) requested at ${timeText(Number(b))}; sign a new one`
    case 'NonceUsed':
      return 'the order was burnt, or another one of this signer has taken its nonce'
    case 'InvalidSignature':
      return `the signature is not one of ${a} over this order`
    case 'GuardianUnchanged':
      return `nothing to change: ${b} is a guardian of ${a} already, or is none (any more)`
    default:
      return `the contract refuses: ${error}(${args.map(String).join(', ')})`
  }
}

/** Nodes have different words for it, of which viem knows some. */
const saysNoFunds = (error: unknown): boolean =>
  error instanceof InsufficientFundsError ||
  (error instanceof RpcRequestError && /(insufficient|enough) (funds|balance)/i.test(error.details))

/** Turns an error of viem into one for the user, when it says what is wrong; other errors come back as they are. */
export function readChainError(error: unknown): unknown {
  if (!(error instanceof BaseError)) return error
  const reverted = error.walk((one) => one instanceof ContractFunctionRevertedError)
  if (reverted instanceof ContractFunctionRevertedError) {
    const name = reverted.data?.errorName
    if (name === undefined || name === 'Error' || name === 'Panic')
      return new ContractRefusedError(
        name ?? 'unknown',
        `the contract refuses: ${reverted.shortMessage}`,
        {},
        error,
      )
    const args = reverted.data?.args ?? []
    return new ContractRefusedError(name, explain(name, args), { args: args.map(String) }, error)
  }
  if (error.walk((one) => one instanceof ContractFunctionZeroDataError) !== null) {
    return new CliError(
      exitCode.usage,
      'the contract answers nothing where a KillSwitch would; is --contract the right address?',
      { cause: error },
    )
  }
  if (error.walk(saysNoFunds) !== null) {
    return new CliError(
      exitCode.refused,
      'the wallet cannot pay for the gas; a kill by signature is free: --by signature with --relayer',
      { cause: error },
    )
  }
  return error
}
