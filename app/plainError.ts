import { BaseError, type ContractFunctionRevertedError, HttpRequestError, TimeoutError } from 'viem'
import { type Rank, rankName } from '../protocol/rank.ts'
import { Scope, subjectLabel } from '../protocol/scope.ts'
import { RelayerDownError, RelayerRefusedError } from './api/relayerApi.ts'
import {
  NoGasError,
  TransactionFailedError,
  TransactionReplacedError,
  WalletGoneError,
} from './chain/writeErrors.ts'
import { clockTime, ether } from './format.ts'

/** An error for the person in front of the page. */
export type PlainError = {
  readonly kind:
    | 'rejected'
    | 'wrong chain'
    | 'relayer down'
    | 'relayer refused'
    | 'not durable'
    | 'rpc down'
    | 'no gas'
    | 'contract refused'
    | 'wallet busy'
    | 'other account'
    | 'other'
  /** What happened. */
  readonly title: string
  /** What it means, and what to do next. */
  readonly next: string
  /** The error's own words, for a report. */
  readonly detail: string
}

/** Codes of EIP-1193 and of wallets' JSON-RPC. */
const rejected = 4001
const unauthorized = 4100
const unknownChain = 4902
const chainDisconnected = 4901
const alreadyPending = -32002

const codesOf = (error: unknown): readonly unknown[] => {
  const codes: unknown[] = []
  for (let one = error; typeof one === 'object' && one !== null; one = (one as { cause?: unknown }).cause)
    codes.push((one as { code?: unknown }).code)
  return codes
}

/** Says what a custom error means for its caller, and what to do next. */
export type ContractWords = (name: string, args: readonly unknown[]) => string

/** Of the KillSwitch. */
export const contractWords: ContractWords = (name, args) => {
  const [a, b, c] = args
  switch (name) {
    case 'NotAuthorized':
      return 'This wallet has no kill over it: it is neither its owner nor a guardian. Connect another wallet.'
    case 'RankTooLow':
      return `This wallet resumes up to rank ${rankName(Number(b) as Rank)}; this kill needs rank ${rankName(Number(c) as Rank)}.`
    case 'OwnersKill':
      return Number(a) === Scope.Owner
        ? `The owner of wallet ${subjectLabel({ scope: Scope.Owner, subject: b as `0x${string}` })} stopped it, and alone resumes it.`
        : 'Its owner stopped it, and alone resumes it.'
    case 'NotKilled':
      return 'It is not killed; there is nothing to resume.'
    case 'ResumePending':
      return `A resume is requested already; it can be executed from ${clockTime(Number(c) * 1000)} on.`
    case 'NoResumeRequest':
      return 'No resume is pending. Request it first; a later kill voids a request.'
    case 'CooldownRunning':
      return `The cool-down runs until ${clockTime(Number(a) * 1000)}.`
    case 'KeyRequired':
      return 'The agent was transferred and needs a new key before it resumes.'
    case 'WalletKilled':
      return 'This wallet is stopped: it registers nothing until it is resumed.'
    case 'GuardianUnchanged':
      return 'Nothing to change: this address is a guardian already, or is none (any more).'
    default:
      return `The contract answers ${name}(${args.map(String).join(', ')}).`
  }
}

/** What went wrong, in plain words with the next step. @param words for what the contract that was called refuses */
export function plainError(error: unknown, words: ContractWords = contractWords): PlainError {
  const detail = error instanceof Error ? error.message : String(error)
  const codes = codesOf(error)
  if (codes.includes(rejected))
    return {
      kind: 'rejected',
      title: 'You rejected the request in your wallet',
      next: 'Nothing was sent and nothing has changed. Try again when you are ready.',
      detail,
    }
  if (codes.includes(alreadyPending))
    return {
      kind: 'wallet busy',
      title: 'Your wallet already has a request open',
      next: 'Open your wallet and answer the request that waits there, then try again.',
      detail,
    }
  const name = (error as Error | null)?.name
  if (
    codes.includes(unauthorized) ||
    error instanceof WalletGoneError ||
    name === 'ConnectorAccountNotFoundError' ||
    name === 'ConnectorNotConnectedError'
  )
    return {
      kind: 'other account',
      title: 'Your wallet is not at this account any more',
      next: 'It is locked or at another account, so nothing was sent. Go back to the account in your wallet and try again, or do it with the one that it is at now.',
      detail,
    }
  if (
    codes.includes(unknownChain) ||
    codes.includes(chainDisconnected) ||
    name === 'ConnectorChainMismatchError' ||
    name === 'SwitchChainError' ||
    name === 'ChainMismatchError'
  )
    return {
      kind: 'wrong chain',
      title: 'Your wallet is on another chain',
      next: 'Switch the network in your wallet, then try again. Nothing was sent.',
      detail,
    }
  if (error instanceof RelayerDownError)
    return {
      kind: 'relayer down',
      title: 'The relayer does not answer',
      next: 'A signed order needs it; a transaction does not. Send it as a transaction, or try the relayer again.',
      detail,
    }
  if (error instanceof RelayerRefusedError)
    return error.problem.type.endsWith('/not-durable')
      ? {
          kind: 'not durable',
          title: 'Enforced, but not durable',
          next: 'The relayer enforces the stop, but cannot write it to its disk. Send a transaction too, so that it outlasts the relayer.',
          detail,
        }
      : {
          kind: 'relayer refused',
          title: `The relayer refuses: ${error.problem.title}`,
          next: `It says: ${error.problem.detail}. Nothing has changed.`,
          detail,
        }
  if (error instanceof NoGasError)
    return {
      kind: 'no gas',
      title: 'This wallet cannot pay for a transaction',
      next: `It holds ${ether(error.balance)} ETH and needs about ${ether(error.needed)}. A kill by signature is free; anything else needs ether in this wallet.`,
      detail,
    }
  if (error instanceof TransactionReplacedError)
    return {
      kind: 'rejected',
      title: 'Your wallet replaced the transaction',
      next: 'It was cancelled, or another one was sent in its place. Nothing has happened. Try again.',
      detail,
    }
  if (error instanceof TransactionFailedError)
    return {
      kind: 'contract refused',
      title: 'The transaction failed on chain',
      next: "The chain's state changed after it was checked. Try again.",
      detail,
    }
  if (error instanceof BaseError) {
    // By name: their modules are large, and a part of what sends.
    const named = (name: string) => error.walk((one) => (one as Error).name === name)
    const reverted = named('ContractFunctionRevertedError') as ContractFunctionRevertedError | null
    if (reverted !== null)
      return {
        kind: 'contract refused',
        title: 'The contract refuses',
        next: words(reverted.data?.errorName ?? 'an unknown error', reverted.data?.args ?? []),
        detail,
      }
    if (named('InsufficientFundsError') !== null || /(insufficient|enough) (funds|balance)/i.test(detail))
      return {
        kind: 'no gas',
        title: 'This wallet cannot pay for a transaction',
        next: 'A kill by signature is free; anything else needs ether in this wallet.',
        detail,
      }
    if (error.walk((one) => one instanceof HttpRequestError || one instanceof TimeoutError) !== null)
      return {
        kind: 'rpc down',
        title: 'The node of the chain does not answer',
        next: 'What you see may be old. A kill by signature needs no node: it goes to the relayer.',
        detail,
      }
  }
  return { kind: 'other', title: 'That did not work', next: 'Try again.', detail }
}
