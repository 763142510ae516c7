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

/** A vote replaces the version that its proposer saw, and no other. */
function staleWarning(entry: PolicyEntry | null, expectedVersion: unknown): string | null {
  const version = entry?.version ?? 0
  return Number(expectedVersion) === version
    ? null
    : `It replaces version ${expectedVersion}, but the version is ${version}; this would fail.`
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
    return { kind: 'setting', title: changesTitle(`Of ${places[contract]}`, changes), warning: null, changes }
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
      return {
        kind: 'setting',
        title: `Admits agent ${uuidFromAgentId(first as bigint)} to its type's policy`,
        warning:
          'Policies by admission of its type, this one and later ones, hold alone for it then, also where they are looser than the default: whenever this owner has the agent, until a vote ends it.',
        changes: only('Owner', null, (second as string).toLowerCase()),
      }
    case 'killPolicies.dismiss':
      return {
        kind: 'setting',
        title: `Ends the admission of agent ${uuidFromAgentId(first as bigint)} to its type's policy`,
        warning: null,
        changes: [],
      }
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
      return { kind: 'setting', title: changesTitle('Of the KillSwitch', changes), warning: null, changes }
    }
    case 'killSwitch.setBreaker':
      return {
        kind: 'setting',
        title: `${second === true ? 'Admits' : 'Dismisses'} ${shortHex(first as string)} as breaker, which may stop any agent`,
        warning: null,
        changes: only('Breaker', null, (first as string).toLowerCase()),
      }
    case 'killSwitch.setCouncil':
      return {
        kind: 'setting',
        title: 'Appoints the council, which stops and releases anything up to rank Council',
        warning: null,
        changes: only('Council', null, (first as string).toLowerCase()),
      }
    case 'killSwitch.setEmergencyGovernor':
      return {
        kind: 'setting',
        title: 'Replaces emergency votes by another contract',
        warning: 'Whatever stands there may stop anything without delay.',
        changes: only('Emergency governor', null, (first as string).toLowerCase()),
      }
    case 'killSwitch.offerGovernance':
      return {
        kind: 'setting',
        title: `Offers every power of these votes to ${shortHex(first as string)}`,
        warning: 'Once that account accepts, these votes decide nothing any more.',
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
