// What the actions of a proposal do, read from their bytes alone: the description has no say in it.
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import { type Action, type ActionMeaning, readAction } from '../../protocol/governance/proposal.ts'
import { applyPolicyEvent, type Policies } from '../../protocol/policy/policies.ts'
import { fromPolicyStruct, type PolicyStruct } from '../../protocol/policy/policyLog.ts'
import { count, shortHex } from '../format.ts'
import { type ActionWords, actionWords, settingFunctions } from './actionWords.ts'
import type { Before } from './before.ts'

/** What one action does, with its bytes. */
export type ActionView = { readonly action: Action } & (
  | ActionWords
  | { readonly kind: 'unreadable'; readonly title: string; readonly warning: string }
)

const unreadable = (action: Action): ActionView => ({
  action,
  kind: 'unreadable',
  title: `An unreadable call of ${shortHex(action.target)}`,
  warning:
    'Nobody can say from here what this does: it calls an unknown contract, or its bytes are no proper call. Vote against it unless you know its bytes.',
})

/**
 * What each action of a proposal does, in their order: the second is compared with what the first leaves behind.
 * @param before what holds before the first
 */
export function actionViews(
  contracts: GovernedContracts,
  actions: readonly Action[],
  before: Before,
): readonly ActionView[] {
  let { policies } = before
  const set = new Map<string, bigint>()
  return actions.map((action): ActionView => {
    const meaning = readAction(contracts, action)
    if (meaning === null) return unreadable(action)
    const state: Before = {
      ...before,
      policies,
      setting: (governor, name) => set.get(`${governor}.${name}`) ?? before.setting(governor, name),
    }
    let view: ActionWords
    try {
      view = actionWords(meaning, state)
    } catch {
      // Arguments that stand for nothing, such as a kill of no scope.
      return unreadable(action)
    }
    const setting = settingFunctions[meaning.functionName]
    if (view.kind === 'setting' && setting !== undefined)
      set.set(
        `${meaning.contract === 'emergencyGovernor' ? 'emergency' : 'policy'}.${setting}`,
        BigInt(meaning.args[0] as number | bigint),
      )
    if (view.kind === 'policy') policies = policiesAfter(policies, meaning, view.agentType)
    const sends = action.value === 0n ? null : `It sends ${action.value} wei.`
    const warning = [view.warning, sends].filter((one) => one !== null).join(' ')
    return { ...view, action, warning: warning === '' ? null : warning }
  })
}

function policiesAfter(policies: Policies, { functionName, args }: ActionMeaning, agentType: string | null) {
  const version = ((agentType === null ? policies.default : policies.types.get(agentType))?.version ?? 0) + 1
  if (functionName === 'removePolicy')
    return agentType === null
      ? policies
      : applyPolicyEvent(policies, { type: 'PolicyRemoved', agentType, version })
  const isDefault = functionName === 'setDefault'
  return applyPolicyEvent(policies, {
    type: 'PolicySet',
    agentType,
    version,
    byAdmission: !isDefault && (args[2] as boolean),
    policy: fromPolicyStruct((isDefault ? args[0] : args[1]) as PolicyStruct),
  })
}

/** A proposal in one line, from what its actions do. */
export function proposalTitle(views: readonly ActionView[]): string {
  const [first, ...others] = views
  if (first === undefined) return 'Does nothing'
  return others.length === 0 ? first.title : `${first.title}; and ${count(others.length, 'more action')}`
}
