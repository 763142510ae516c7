import { hexToString } from 'viem'
import { emergencyGovernorAbi } from '../../protocol/generated/emergencyGovernorAbi.ts'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import { policyGovernorAbi } from '../../protocol/generated/policyGovernorAbi.ts'
import { policyTimelockAbi } from '../../protocol/generated/policyTimelockAbi.ts'
import { subscriptionsAbi } from '../../protocol/generated/subscriptionsAbi.ts'
import { type LimitName, limitNames } from '../../protocol/policy/killPolicy.ts'
import { dateTime, whole } from '../format.ts'
import { type ContractWords, contractWords } from '../plainError.ts'
import { limitFields } from './policyFields.ts'
import { share, tokens } from './tokens.ts'

/** Every error of every contract: one that is executed by a vote may end in that of any other. */
export const governanceErrors = [
  policyGovernorAbi,
  emergencyGovernorAbi,
  policyTimelockAbi,
  killPoliciesAbi,
  killSwitchAbi,
  subscriptionsAbi,
  killswitchTokenAbi,
].flatMap((abi) => abi.filter(({ type }) => type === 'error'))

/** OpenZeppelin's numbers. */
const states = ['not open yet', 'open', 'cancelled', 'defeated', 'passed', 'queued', 'expired', 'executed']

/** What a setting or field is called, from the bytes of its name. */
function fieldName(bytes: `0x${string}`): string {
  const name = hexToString(bytes, { size: 32 })
  return limitNames.includes(name as LimitName) ? limitFields[name as LimitName].name : name
}

/** What a custom error of any of the contracts means for its caller, and what to do next. */
export const governanceWords: ContractWords = (name, args) => {
  const [a, b, c, d] = args
  switch (name) {
    case 'GovernorInsufficientProposerVotes':
      return `To propose takes ${tokens(c as bigint)} KSW of votes; this wallet had ${tokens(b as bigint)} a second ago. Delegate your tokens to yourself, or ask a delegate to propose.`
    case 'GovernorAlreadyCastVote':
      return 'This wallet has voted on it already; a vote cannot be changed.'
    case 'GovernorUnexpectedProposalState':
      return `The vote is ${states[Number(b)] ?? 'elsewhere'} by now, so this step is not possible. The page shows where it stands in a moment.`
    case 'GovernorUnableToCancel':
      return 'Only its proposer can cancel, and only before voting begins.'
    case 'GovernorRestrictedProposer':
      return 'The description names another proposer (#proposer=…); only that account can propose it.'
    case 'GovernorNonexistentProposal':
      return 'The governor knows no such proposal.'
    case 'GovernorOnlyExecutor':
    case 'NotGovernance':
      return 'Only a vote can do this.'
    case 'NotAKill':
      return `Emergency votes can only stop. Action ${whole(Number(a) + 1)} is something else; propose it as a policy vote.`
    case 'MixedProposal':
      return `Resumes stand alone: action ${whole(Number(a) + 1)} is not of the kind of the first. Make two proposals.`
    case 'OwnersKill':
      return 'Its owner stopped it, or the wallet that it belongs to; a vote does not lift that.'
    case 'OutOfBounds':
      return `${fieldName(a as `0x${string}`)} can be ${whole(c as bigint)} to ${whole(d as bigint)}; ${whole(b as bigint)} is outside.`
    case 'LooserThanDefault':
      return 'A field is looser than the default’s. Tighten it, or let the policy hold by admission.'
    case 'VersionChanged':
      return `Another vote came first: the policy has version ${whole(b as bigint)} now, and this replaces version ${whole(c as bigint)}. Propose it anew.`
    case 'InvalidAgentType':
      return 'That is no type that agents may have.'
    case 'NoPolicy':
      return 'The type has no policy of its own.'
    case 'IncompleteDocument':
      return 'A document needs both its SHA-256 and its URI, or neither.'
    case 'UriTooLong':
      return `The URI has ${whole(a as bigint)} bytes; at most 256 are allowed.`
    case 'TimelockUnexpectedOperationState':
      return 'The timelock still holds it, it was executed already, or it has expired.'
    case 'GovernorProposalQueueingNotRequired':
      return 'Emergency votes are not queued: execute it.'
    case 'GovernorAlreadyQueuedProposal':
      return 'It is queued already.'
    case 'VotesExpiredSignature':
      return 'The signed delegation has expired. Ask its holder for a new one.'
    case 'InvalidAccountNonce':
      return 'The signature was used already, or another one of this holder came first. Ask for a new one.'
    case 'ERC20InsufficientBalance':
      return `This wallet holds ${tokens(b as bigint)} and would need ${tokens(c as bigint)}.`
    case 'ERC20InsufficientAllowance':
      return 'The contract may not take this much from the wallet yet: allow it first.'
    case 'NotOffered':
      return 'This plan is not offered (any more).'
    case 'TooExpensive':
      return `It would cost ${tokens(a as bigint)} now, more than was shown. Look at the price again.`
    case 'SmallerQuota':
      return `Your plan of ${whole(c as number)} agents is paid until ${dateTime(Number(d) * 1000)}; one of ${whole(b as number)} can be taken after that.`
    case 'CreditLeft':
      return `What is left of your plan is worth ${tokens(a as bigint)}, more than this costs (${tokens(b as bigint)}). Take more periods.`
    case 'TransferredTooRecently':
      return 'It changed hands too recently.'
    case 'GovernorInvalidQuorumFraction':
      return `A quorum of ${share(BigInt(a as bigint), 100n)} is impossible.`
    default:
      return contractWords(name, args)
  }
}
