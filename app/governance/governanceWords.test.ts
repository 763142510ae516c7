import {
  BaseError,
  ContractFunctionExecutionError,
  ContractFunctionRevertedError,
  encodeErrorResult,
  stringToHex,
} from 'viem'
import { expect, test } from 'vitest'
import { policyGovernorAbi } from '../../protocol/generated/policyGovernorAbi.ts'
import { plainError } from '../plainError.ts'
import { governanceErrors, governanceWords } from './governanceWords.ts'

const abi = [...policyGovernorAbi, ...governanceErrors]
const account = `0x${'aa'.repeat(20)}` as const
const word = `0x${'12'.repeat(32)}` as const
const ksw = 10n ** 18n

/** What the page says when a call of the governor ends in this error, its own or that of what it executes. */
function said(errorName: string, args: readonly unknown[]): string {
  const data = encodeErrorResult({ abi: governanceErrors, errorName, args } as never)
  const reverted = new ContractFunctionRevertedError({ abi, functionName: 'execute', data })
  const { kind, next } = plainError(
    new ContractFunctionExecutionError(new BaseError('failed', { cause: reverted }), {
      abi,
      functionName: 'execute',
      args: [],
    } as never),
    governanceWords,
  )
  expect(kind).toBe('contract refused')
  return next
}

test.each<[string, readonly unknown[], RegExp]>([
  ['GovernorInsufficientProposerVotes', [account, 5n * ksw, 1000n * ksw], /takes 1,000 KSW.*had 5/],
  ['GovernorAlreadyCastVote', [account], /voted on it already/],
  ['GovernorUnexpectedProposalState', [1n, 7, word], /executed by now/],
  ['GovernorUnableToCancel', [1n, account], /Only its proposer/],
  ['GovernorRestrictedProposer', [account], /names another proposer/],
  ['NotAKill', [1n, account, 0n, '0x12345678'], /only stop\. Action 2/],
  ['MixedProposal', [1n], /Resumes stand alone: action 2/],
  ['OwnersKill', [0, word], /Its owner stopped it/],
  [
    'OutOfBounds',
    [stringToHex('consecutiveFailures', { size: 32 }), 1n, 2n, 1000n],
    /^Consecutive failures can be 2 to 1,000; 1 is outside\.$/,
  ],
  [
    'OutOfBounds',
    [stringToHex('votingPeriod', { size: 32 }), 0n, 1n, 2_592_000n],
    /^votingPeriod can be 1 to 2,592,000/,
  ],
  ['LooserThanDefault', [word], /looser than the default/],
  ['VersionChanged', [word, 3n, 2n], /version 3 now.*replaces version 2/],
  ['SmallerQuota', [1, 10, 100, 1_900_000_000], /100 agents is paid until.*one of 10/],
  ['VotesExpiredSignature', [1n], /expired/],
  ['InvalidAccountNonce', [account, 3n], /used already/],
  ['NotOffered', [1], /not offered/],
  ['TooExpensive', [2n * ksw, ksw], /cost 2 now/],
  ['CreditLeft', [3n * ksw, ksw], /worth 3.*costs \(1\)/],
  // The KillSwitch's own keep their words.
  ['CooldownRunning', [1_900_000_000, 1n], /^The cool-down runs until/],
])('%s is said in words', (name, args, words) => {
  const next = said(name, args)
  expect(next).toMatch(words)
  expect(next).not.toContain(name)
})

test('an error without words of its own is at least named', () => {
  expect(said('GovernorInvalidVoteType', [])).toContain('GovernorInvalidVoteType')
})
