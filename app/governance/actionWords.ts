// What a call of a known contract does, in words.
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import type { Plan, SettingName } from '../../protocol/governance/governanceLog.ts'
import type { ActionMeaning } from '../../protocol/governance/proposal.ts'
import type { Hex } from '../../protocol/hex.ts'
import type { KillPolicy } from '../../protocol/policy/killPolicy.ts'
import type { PolicyEntry } from '../../protocol/policy/policies.ts'
import { defaultWord, fromPolicyStruct, type PolicyStruct } from '../../protocol/policy/policyLog.ts'
import { type Rank, rankName } from '../../protocol/rank.ts'
import { type Scope, Scope as Scopes, subjectLabel, type Target } from '../../protocol/scope.ts'
import { uuidFromAgentId } from '../../protocol/uuid.ts'
import { count, shortHex, whole, wholeDuration } from '../format.ts'
import type { Before } from './before.ts'
import { type Change, policyChanges } from './policyFields.ts'
import { tokens } from './tokens.ts'
import { visibleText } from './visibleText.ts'

/** What a call does. `warning` is what a voter must not overlook. */
export type ActionWords = {
  /** One line. */
  readonly title: string
  readonly warning: string | null
} & (
  | { readonly kind: 'policy'; readonly agentType: string | null; readonly changes: readonly Change[] }
  | {
      readonly kind: 'kill'
      readonly target: Target
      readonly reason: number
      /** Its proposer's words, made visible. */
      readonly text: string
    }
  | { readonly kind: 'resume'; readonly step: 'request' | 'resume'; readonly target: Target }
  | { readonly kind: 'setting'; readonly changes: readonly Change[] }
  /** A call of a known contract for which this page has no words: its arguments. */
  | { readonly kind: 'call'; readonly changes: readonly Change[] }
)

/** What a target is called. */
export function targetName(target: Target): string {
  const label = subjectLabel(target)
  switch (target.scope) {
    case Scopes.Agent:
      return `agent ${label}`
    case Scopes.Owner:
      return `all agents of ${label}`
    case Scopes.AgentType:
      return `all agents of type ${label}`
    case Scopes.Fleet:
      return 'the whole fleet'
  }
}

const policyName = (agentType: string | null): string =>
  agentType === null ? 'The default policy' : `The policy of type ${agentType}`

const changeWords = ({ field, before, after }: Change): string =>
  `${field.toLowerCase()} ${before ?? 'unset'} → ${after ?? 'unset'}`

const changesTitle = (name: string, changes: readonly Change[]): string =>
  changes.length === 0
    ? `${name}: nothing changes`
    : changes.length <= 2
      ? `${name}: ${changes.map(changeWords).join(', ')}`
      : `${name}: ${count(changes.length, 'field')} change`

const looserWarning = (changes: readonly Change[]): string | null => {
  const looser = changes.filter(({ effect }) => effect === 'looser')
  return looser.length === 0
    ? null
    : `Looser than before: ${looser.map(({ field }) => field.toLowerCase()).join(', ')}.`
}

const settingNames: Readonly<Record<SettingName, string>> = {
  votingDelay: 'Voting delay',
  votingPeriod: 'Voting period',
  voteExtension: 'Extension by a late quorum',
  timelockDelay: 'Timelock delay',
  proposalThreshold: 'Votes to propose',
  quorum: 'Quorum',
  superQuorum: 'Super-quorum',
}

/** A setting in its unit. */
export const settingWords = (name: SettingName, value: bigint): string =>
  name === 'proposalThreshold'
    ? `${tokens(value)} KSW`
    : name === 'quorum' || name === 'superQuorum'
      ? `${value} % of the supply`
      : wholeDuration(Number(value) * 1000)

/** Who gains what when a setting is lowered. */
const lessMeans: Readonly<Record<SettingName, string>> = {
  votingDelay: 'Holders get less time to delegate and prepare before a vote counts.',
  votingPeriod: 'Holders get less time to notice a vote and take part.',
  voteExtension: 'A quorum that is reached late leaves the others less time to answer.',
  timelockDelay:
    'Owners get less time between a vote and its effect, such as to stop again what is released.',
  proposalThreshold: 'Holders of fewer votes can propose.',
  quorum: 'Fewer votes decide.',
  superQuorum: 'Fewer votes stop at once, without waiting for the others.',
}

/** The functions that set a setting of the votes. */
export const settingFunctions: Readonly<Record<string, SettingName>> = {
  setVotingDelay: 'votingDelay',
  setVotingPeriod: 'votingPeriod',
  setLateQuorumVoteExtension: 'voteExtension',
  setProposalThreshold: 'proposalThreshold',
  updateQuorumNumerator: 'quorum',
  updateSuperQuorumNumerator: 'superQuorum',
  updateDelay: 'timelockDelay',
}

const places: Readonly<Record<keyof GovernedContracts, string>> = {
  token: 'the token',
  policyGovernor: 'policy votes',
  timelock: 'the timelock',
  emergencyGovernor: 'emergency votes',
  killSwitch: 'the KillSwitch',
  killPolicies: 'the kill policies',
  subscriptions: 'subscriptions',
}

const only = (field: string, before: string | null, after: string | null): readonly Change[] => [
  { field, before, after, effect: null },
]

const planWords = (plan: Plan): string =>
  `${plan.offered ? 'offered' : 'not offered'}, ${plan.price} smallest units for ${wholeDuration(plan.period * 1000)}, ${count(plan.agentQuota, 'agent')}`

const argumentText = (value: unknown): string =>
  visibleText(JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? one.toString() : one)) ?? '')

/** What it means for one agent to be admitted, or (owner null) no more: which values then hold for it. */
function admissionWords(uuid: string, owner: Hex | null, { policies, agentType }: Before): ActionWords {
  const type = agentType(uuid)
  const entry = type === null ? undefined : policies.types.get(type)
  const base = policies.default?.policy ?? null
  const own = entry?.byAdmission === true ? entry.policy : null
  const title =
    owner === null
      ? `Ends the admission of agent ${uuid} to its type's policy`
      : `Admits agent ${uuid} to its type's policy`
  const admission = owner === null ? [] : only('Owner', null, owner)
  if (type === null || base === null || own === null) {
    const effect =
      type === null
        ? 'The chain knows no type of this agent, so nothing says what would hold for it.'
        : `The type ${type} has no policy by admission now: this changes nothing until a vote sets one${owner === null ? '' : ', and then that holds for the agent alone, also where it is looser'}.`
    return { kind: 'setting', title, warning: effect, changes: admission }
  }
  const changes = owner === null ? policyChanges(own, base) : policyChanges(base, own)
  const notes = [
    owner === null
      ? null
      : `The policy of type ${type} holds alone for it then, instead of the default, and so does every later one by admission: whenever this owner has the agent, until a vote ends it.`,
    looserWarning(changes),
  ].filter((note) => note !== null)
  return {
    kind: 'setting',
    title,
    warning: notes.length === 0 ? null : notes.join(' '),
    changes: [...admission, ...changes],
  }
}

/** A vote replaces the version that its proposer saw, and no other. */
function staleWarning(entry: PolicyEntry | null, expectedVersion: unknown): string | null {
  const version = entry?.version ?? 0
  const expected = Number(expectedVersion)
  if (expected === version) return null
  const why = expected < version ? 'the policy has changed since' : 'there is no such version yet'
  return `This would fail: it replaces version ${expected}, and the version is ${version}; ${why}.`
}

/** A call of a known contract, in words. @throws {InvalidSubjectError} for a target that is none */
export function actionWords(meaning: ActionMeaning, before: Before): ActionWords {
  const { contract, functionName, args } = meaning
  const [first, second, third, fourth] = args
  const setting = settingFunctions[functionName]
  if (
    setting !== undefined &&
    (contract === 'policyGovernor' || contract === 'emergencyGovernor' || contract === 'timelock')
  ) {
    const governor = contract === 'emergencyGovernor' ? 'emergency' : 'policy'
    const old = before.setting(governor, setting)
    const changes = only(
      settingNames[setting],
      old === null ? null : settingWords(setting, old),
      settingWords(setting, BigInt(first as number | bigint)),
    )
    const less = old !== null && BigInt(first as number | bigint) < old
    return {
      kind: 'setting',
      title: changesTitle(`Of ${places[contract]}`, changes),
      warning: less ? lessMeans[setting] : null,
      changes,
    }
  }
  switch (`${contract}.${functionName}`) {
    case 'killPolicies.setDefault':
    case 'killPolicies.setPolicy': {
      const isDefault = functionName === 'setDefault'
      const word = isDefault ? defaultWord : (first as Hex)
      const agentType = isDefault ? null : subjectLabel({ scope: Scopes.AgentType, subject: word })
      const policy = fromPolicyStruct((isDefault ? first : second) as PolicyStruct)
      const byAdmission = !isDefault && (third as boolean)
      const base = before.policies.default?.policy ?? null
      const own = agentType === null ? null : (before.policies.types.get(agentType) ?? null)
      const compared: KillPolicy | null = own?.policy ?? base
      const changes = compared === null ? [] : policyChanges(compared, policy)
      const notes = [
        staleWarning(agentType === null ? before.policies.default : own, isDefault ? second : fourth),
        agentType !== null && own?.policy == null
          ? 'The type has no policy of its own yet; compared with the default.'
          : null,
        byAdmission
          ? 'By admission: it holds alone, also where it is looser than the default, for the agents that votes admit.'
          : own?.byAdmission === true
            ? 'No longer by admission: it tightens the default, for all agents of the type.'
            : null,
        looserWarning(changes),
      ].filter((note) => note !== null)
      return {
        kind: 'policy',
        agentType,
        title: changesTitle(policyName(agentType), changes),
        warning: notes.length === 0 ? null : notes.join(' '),
        changes,
      }
    }
    case 'killPolicies.removePolicy': {
      const agentType = subjectLabel({ scope: Scopes.AgentType, subject: first as Hex })
      const own = before.policies.types.get(agentType)?.policy ?? null
      const base = before.policies.default?.policy ?? null
      const changes = own === null || base === null ? [] : policyChanges(own, base)
      return {
        kind: 'policy',
        agentType,
        title: `${policyName(agentType)} is removed: the default alone holds`,
        warning:
          own === null
            ? 'The type has no policy of its own; this would fail.'
            : (staleWarning(before.policies.types.get(agentType) ?? null, second) ?? looserWarning(changes)),
        changes,
      }
    }
    case 'killPolicies.admit':
    case 'killPolicies.dismiss':
      return admissionWords(
        uuidFromAgentId(first as bigint),
        functionName === 'admit' ? ((second as string).toLowerCase() as Hex) : null,
        before,
      )
    case 'killSwitch.kill':
    case 'killSwitch.emergencyKill': {
      const isWallet = functionName === 'emergencyKill'
      const target: Target = isWallet
        ? { scope: Scopes.Owner, subject: `0x${(first as string).slice(2).toLowerCase().padStart(64, '0')}` }
        : { scope: first as Scope, subject: second as Hex }
      return {
        kind: 'kill',
        target,
        title: `Stops ${targetName(target)}`,
        warning: null,
        reason: (isWallet ? second : third) as number,
        text: visibleText((isWallet ? third : fourth) as string),
      }
    }
    case 'killSwitch.requestResume':
    case 'killSwitch.resume': {
      const target: Target = { scope: first as Scope, subject: second as Hex }
      const isRequest = functionName === 'requestResume'
      return {
        kind: 'resume',
        step: isRequest ? 'request' : 'resume',
        target,
        title: isRequest ? `Asks for the release of ${targetName(target)}` : `Releases ${targetName(target)}`,
        warning: null,
      }
    }
    case 'killSwitch.setCooldown': {
      const rank = first as Rank
      const old = before.cooldown(rank)
      const changes = only(
        `Cool-down of rank ${rankName(rank)}`,
        old === null ? null : wholeDuration(old * 1000),
        wholeDuration(Number(second) * 1000),
      )
      return {
        kind: 'setting',
        title: changesTitle('Of the KillSwitch', changes),
        warning:
          old !== null && Number(second) < old
            ? 'What is stopped at this rank can be released sooner; owners get less time to stop it again.'
            : null,
        changes,
      }
    }
    case 'killSwitch.setBreaker':
      return {
        kind: 'setting',
        title: `${second === true ? 'Admits' : 'Dismisses'} ${shortHex(first as string)} as breaker, which may stop any agent`,
        warning:
          second === true
            ? 'That account may stop any single agent, of any owner, without a vote. It releases nothing.'
            : null,
        changes: only('Breaker', null, (first as string).toLowerCase()),
      }
    case 'killSwitch.setCouncil': {
      const council = (first as string).toLowerCase()
      const isNone = /^0x0*$/.test(council)
      return {
        kind: 'setting',
        title: isNone
          ? 'Dismisses the council: there is none any more'
          : 'Appoints the council, which stops anything and releases what others than owners stopped, up to rank Council',
        warning: isNone
          ? null
          : 'That account may stop any agent, wallet, type or the fleet, and may release what breakers and earlier councils stopped, after the cool-down, without another vote. What an owner stopped only its owner releases.',
        changes: only('Council', null, isNone ? 'none' : council),
      }
    }
    case 'killSwitch.setEmergencyGovernor':
      return {
        kind: 'setting',
        title: 'Replaces emergency votes by another contract',
        warning:
          'Whatever stands there may stop any agent, wallet, type or the fleet without delay or another vote, at a rank that only votes lift.',
        changes: only('Emergency governor', null, (first as string).toLowerCase()),
      }
    case 'killSwitch.offerGovernance':
      return {
        kind: 'setting',
        title: `Offers every power of these votes to ${shortHex(first as string)}`,
        warning:
          'Once that account accepts, it alone sets policies, council, breakers and plans and releases what others than owners stopped; these votes decide nothing any more.',
        changes: only('Successor', null, (first as string).toLowerCase()),
      }
    case 'subscriptions.setPlan': {
      const planId = first as number
      const { period, agentQuota, offered, price } = second as Omit<Plan, 'planId'>
      const old = before.plan(planId)
      const changes = only(
        `Plan ${planId}`,
        old === null ? 'none' : planWords(old),
        planWords({ planId, price, period, agentQuota, offered }),
      )
      return { kind: 'setting', title: `Plan ${planId} for subscriptions`, warning: null, changes }
    }
    case 'token.transfer':
      return {
        kind: 'setting',
        title: `Pays ${tokens(second as bigint)} KSW to ${shortHex(first as string)}`,
        warning: 'Out of what the timelock holds.',
        changes: only('Receiver', null, (first as string).toLowerCase()),
      }
    default:
      return {
        kind: 'call',
        title: `Calls ${functionName} on ${places[contract]}`,
        warning: 'This page has no words for this call: read its arguments and its bytes.',
        changes: args.map((value, index) => ({
          field: `Argument ${whole(index + 1)}`,
          before: null,
          after: argumentText(value),
          effect: null,
        })),
      }
  }
}
