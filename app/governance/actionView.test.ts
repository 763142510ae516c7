import { encodeFunctionData, type Hex } from 'viem'
import { describe, expect, test } from 'vitest'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import { policyGovernorAbi } from '../../protocol/generated/policyGovernorAbi.ts'
import { policyTimelockAbi } from '../../protocol/generated/policyTimelockAbi.ts'
import { subscriptionsAbi } from '../../protocol/generated/subscriptionsAbi.ts'
import type { PlacedEvent } from '../../protocol/governance/ballots.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import type { GovernanceEvent } from '../../protocol/governance/governanceLog.ts'
import type { Action } from '../../protocol/governance/proposal.ts'
import { initialPolicy, type KillPolicy, type Limits } from '../../protocol/policy/killPolicy.ts'
import { agentTypeTarget, fleetTarget, ownerTarget, Scope } from '../../protocol/scope.ts'
import type { ChainEvent } from '../chain/registryFold.ts'
import { actionViews, proposalTitle } from './actionView.ts'
import { type Before, beforeOf } from './before.ts'
import { admitAction, killAction, removePolicyAction, resumeAction, setPolicyAction } from './draftActions.ts'
import { foldGovernance } from './governance.ts'

const place = (n: number): Hex => `0x${n.toString(16).padStart(40, '0')}`
const contracts: GovernedContracts = {
  token: place(1),
  policyGovernor: place(2),
  timelock: place(3),
  emergencyGovernor: place(4),
  killSwitch: place(5),
  killPolicies: place(6),
  subscriptions: place(7),
}
const policyOf = (limits: Partial<Limits>, more: Partial<KillPolicy> = {}): KillPolicy => ({
  ...initialPolicy,
  ...more,
  limits: { ...initialPolicy.limits, ...limits },
})

let blocks = 0
const at = (event: GovernanceEvent, block = ++blocks): PlacedEvent => ({
  event,
  block: BigInt(block),
  logIndex: 1,
  txHash: `0x${block.toString(16).padStart(64, '0')}`,
  time: block,
})
const policySet = (agentType: string | null, version: number, policy: KillPolicy, block?: number) =>
  at(
    { type: 'PolicyChanged', change: { type: 'PolicySet', agentType, version, byAdmission: false, policy } },
    block,
  )
const setting = (value: bigint) =>
  at({ type: 'SettingSet', governor: 'policy', setting: 'votingPeriod', value })

const governance = foldGovernance(contracts, [policySet(null, 1, initialPolicy), setting(15n)], 100n)
const before: Before = beforeOf({ executedAt: null }, governance, [])
const view = (...actions: readonly Action[]) => actionViews(contracts, actions, before)
const call = (target: Hex, data: Hex, value = 0n) => ({ target, value, data })

describe('policies', () => {
  test('every field that differs, with both values and its effect; no other', () => {
    const hash = `0x${'12'.repeat(32)}` as const
    const next = policyOf(
      { consecutiveFailures: 3, errorRate: 9000, errorWindow: 120, probation: 60, canaryInterval: 7200 },
      { boundary: { hash, uri: 'https://a.test/b.json' } },
    )
    const [one] = view(setPolicyAction(contracts, null, next, false, 1))
    expect(one).toMatchObject({
      kind: 'policy',
      agentType: null,
      changes: [
        { field: 'Consecutive failures', before: '10', after: '3', effect: 'tighter' },
        { field: 'Error rate', before: '80 %', after: '90 %', effect: 'looser' },
        { field: 'Error window', before: '1 min', after: '2 min', effect: null },
        { field: 'Probation after a resume', before: '1 h', after: '1 min', effect: 'looser' },
        { field: 'Canary interval', before: '1 d', after: '2 h', effect: 'tighter' },
        {
          field: 'Boundary',
          before: 'none',
          after: `https://a.test/b.json (SHA-256 ${hash})`,
          effect: 'tighter',
        },
      ],
    })
    expect(one?.warning).toBe('Looser than before: error rate, probation after a resume.')
  })

  test('one change leads the title', () => {
    const views = view(setPolicyAction(contracts, null, policyOf({ consecutiveFailures: 3 }), false, 1))
    expect(proposalTitle(views)).toBe('The default policy: consecutive failures 10 → 3')
    expect(views[0]?.warning).toBeNull()
  })

  test('a type without a policy is compared with the default, and admission is said', () => {
    const [one] = view(setPolicyAction(contracts, 'trader', policyOf({ consecutiveFailures: 30 }), true, 0))
    expect(one).toMatchObject({
      title: 'The policy of type trader: consecutive failures 10 → 30',
      changes: [{ effect: 'looser' }],
    })
    expect(one?.warning).toMatch(/compared with the default.*By admission.*Looser than before/)
  })

  test('the second action is compared with what the first leaves behind', () => {
    const [, second, third] = view(
      setPolicyAction(contracts, null, policyOf({ consecutiveFailures: 5 }), false, 1),
      setPolicyAction(contracts, null, policyOf({ consecutiveFailures: 4 }), false, 2),
      removePolicyAction(contracts, 'trader', 0),
    )
    expect(second).toMatchObject({ changes: [{ before: '5', after: '4', effect: 'tighter' }] })
    expect(third?.warning).toMatch(/has no policy of its own/)
    expect(second?.warning).toBeNull()
  })

  test('a version that was not the last one is a warning', () => {
    const next = policyOf({ consecutiveFailures: 3 })
    for (const [stale, why] of [
      [0, 'the policy has changed since'],
      [2, 'there is no such version yet'],
    ] as const)
      expect(view(setPolicyAction(contracts, null, next, false, stale))[0]?.warning).toBe(
        `This would fail: it replaces version ${stale}, and the version is 1; ${why}.`,
      )
    const [, removal] = view(
      setPolicyAction(contracts, 'trader', next, false, 0),
      removePolicyAction(contracts, 'trader', 0),
    )
    expect(removal?.warning).toBe(
      'This would fail: it replaces version 0, and the version is 1; the policy has changed since.',
    )
  })

  test('what was executed is compared with what held then', () => {
    const executing = 1000
    const later = foldGovernance(
      contracts,
      [
        policySet(null, 1, initialPolicy, 1),
        policySet(null, 2, policyOf({ consecutiveFailures: 5 }), 500),
        policySet(null, 3, policyOf({ consecutiveFailures: 3 }), executing),
        policySet(null, 4, policyOf({ consecutiveFailures: 2 }), 2000),
      ],
      100n,
    )
    const { event: _, ...executedAt } = at({ type: 'OperationExecuted', operation: '0x' }, executing)
    const [one] = actionViews(
      contracts,
      [setPolicyAction(contracts, null, policyOf({ consecutiveFailures: 3 }), false, 2)],
      beforeOf({ executedAt }, later, []),
    )
    expect(one).toMatchObject({ warning: null, changes: [{ before: '5', after: '3' }] })
  })
})

describe('admissions', () => {
  const uuid = '01234567-89ab-8def-8123-456789abcdef'
  const owner = place(0xa1)
  const chainEvents: readonly ChainEvent[] = [
    {
      event: {
        type: 'AgentRegistered',
        uuid,
        owner,
        agentType: 'trader',
        key: null,
        sequence: 1,
      },
      block: 1n,
      blockHash: place(1),
      logIndex: 0,
      txHash: place(1),
      time: 1,
    },
  ]
  const looser = policyOf({ consecutiveFailures: 30, probation: 7200 })
  const traders = (byAdmission: boolean) =>
    at({
      type: 'PolicyChanged',
      change: { type: 'PolicySet', agentType: 'trader', version: 1, byAdmission, policy: looser },
    })
  const words = (of: string | null, ...policies: readonly PlacedEvent[]) =>
    actionViews(
      contracts,
      [admitAction(contracts, uuid, of === null ? null : owner)],
      beforeOf(
        { executedAt: null },
        foldGovernance(contracts, [policySet(null, 1, initialPolicy), ...policies], 100n),
        chainEvents,
      ),
    )[0]

  test('what holds for the agent before and after, and what of it is looser', () => {
    const one = words(owner, traders(true))
    expect(one).toMatchObject({
      changes: [
        { field: 'Owner', after: owner },
        { field: 'Consecutive failures', before: '10', after: '30', effect: 'looser' },
        { field: 'Probation after a resume', before: '1 h', after: '2 h', effect: 'tighter' },
      ],
    })
    expect(one?.warning).toMatch(
      /holds alone for it then.*until a vote ends it\..*Looser than before: consecutive failures\.$/,
    )
  })

  test('its end brings the default back', () => {
    expect(words(null, traders(true))).toMatchObject({
      changes: [
        { field: 'Consecutive failures', before: '30', after: '10', effect: 'tighter' },
        { field: 'Probation after a resume', before: '2 h', after: '1 h', effect: 'looser' },
      ],
    })
  })

  test('without a policy by admission it changes nothing, yet', () => {
    for (const one of [words(owner), words(owner, traders(false))]) {
      expect(one).toMatchObject({ changes: [{ field: 'Owner' }] })
      expect(one?.warning).toMatch(/no policy by admission now: this changes nothing until a vote sets one/)
    }
  })

  test('an agent that the chain does not know is said to be unknown', () => {
    const [one] = view(admitAction(contracts, uuid, owner))
    expect(one?.warning).toMatch(/knows no type of this agent/)
  })
})

describe('kills, releases and settings', () => {
  test.each([
    [agentTypeTarget('trader'), 'Stops all agents of type trader'],
    [fleetTarget, 'Stops the whole fleet'],
    [ownerTarget(place(9)), `Stops all agents of ${place(9)}`],
  ])('a kill names what it stops: %j', (target, title) => {
    expect(view(killAction(contracts, target, 2, 'x\u202ey'))).toMatchObject([
      { kind: 'kill', target, title, reason: 2, text: 'x⟨U+202E⟩y' },
    ])
  })

  test('a release and its request are told apart', () => {
    expect(
      view(
        resumeAction(contracts, fleetTarget, 'request'),
        resumeAction(contracts, fleetTarget, 'resume'),
      ).map(({ title }) => title),
    ).toEqual(['Asks for the release of the whole fleet', 'Releases the whole fleet'])
  })

  test('settings of votes, one after the other', () => {
    const set = (period: number) =>
      call(
        contracts.policyGovernor,
        encodeFunctionData({ abi: policyGovernorAbi, functionName: 'setVotingPeriod', args: [period] }),
      )
    expect(view(set(60), set(90)).map(({ title }) => title)).toEqual([
      'Of policy votes: voting period 15 s → 1 min',
      'Of policy votes: voting period 1 min → 1 min 30 s',
    ])
  })

  test('giving all powers away is a warning', () => {
    const data = encodeFunctionData({ abi: killSwitchAbi, functionName: 'offerGovernance', args: [place(9)] })
    expect(view(call(contracts.killSwitch, data))[0]).toMatchObject({
      title: expect.stringMatching(/^Offers every power/),
      warning: expect.stringMatching(/decide nothing any more/),
    })
  })

  const onKillSwitch = (functionName: string, args: readonly unknown[]) =>
    view(
      call(contracts.killSwitch, encodeFunctionData({ abi: killSwitchAbi, functionName, args } as never)),
    )[0]

  test.each<[string, readonly unknown[], RegExp]>([
    [
      'setCouncil',
      [place(9)],
      /may release what breakers and earlier councils stopped.*without another vote.*only its owner releases/,
    ],
    ['setBreaker', [place(9), true], /may stop any single agent.*without a vote/],
    ['setEmergencyGovernor', [place(9)], /may stop any agent.*that only votes lift/],
    ['offerGovernance', [place(9)], /it alone sets policies, council.*decide nothing any more/],
  ])('whose power grows by %s, and how, is a warning', (functionName, args, warning) => {
    expect(onKillSwitch(functionName, args)?.warning).toMatch(warning)
  })

  test('taking power away is none', () => {
    expect(onKillSwitch('setBreaker', [place(9), false])?.warning).toBeNull()
    expect(onKillSwitch('setCouncil', [place(0)])).toMatchObject({
      title: expect.stringMatching(/^Dismisses the council/),
      warning: null,
    })
  })

  test('a lower setting says who gains by it, a higher one nothing', () => {
    const period = (seconds: number) =>
      view(
        call(
          contracts.policyGovernor,
          encodeFunctionData({ abi: policyGovernorAbi, functionName: 'setVotingPeriod', args: [seconds] }),
        ),
      )[0]?.warning
    expect([period(14), period(15), period(16)]).toEqual([
      'Holders get less time to notice a vote and take part.',
      null,
      null,
    ])
  })

  test('a plan for subscriptions', () => {
    const plan = { price: 5n, period: 3600, agentQuota: 10, offered: true }
    const data = encodeFunctionData({ abi: subscriptionsAbi, functionName: 'setPlan', args: [1, plan] })
    expect(view(call(contracts.subscriptions, data))[0]).toMatchObject({
      changes: [{ before: 'none', after: 'offered, 5 smallest units for 1 h, 10 agents' }],
    })
  })

  test('a known call without words of its own shows its arguments', () => {
    const data = encodeFunctionData({
      abi: policyTimelockAbi,
      functionName: 'grantRole',
      args: [`0x${'00'.repeat(32)}`, place(9)],
    })
    expect(view(call(contracts.timelock, data))[0]).toMatchObject({
      kind: 'call',
      title: 'Calls grantRole on the timelock',
      warning: expect.stringMatching(/no words/),
      changes: [{ field: 'Argument 1' }, { field: 'Argument 2', after: `"${place(9)}"` }],
    })
  })

  test('ether that goes along is said', () => {
    const data = encodeFunctionData({ abi: killswitchTokenAbi, functionName: 'delegate', args: [place(9)] })
    expect(view(call(contracts.token, data, 7n))[0]?.warning).toMatch(/It sends 7 wei/)
  })
})

const type = agentTypeTarget('trader')
const kill = killAction(contracts, type, 1, '').data
test.each<[string, Hex, Hex]>([
  ['an unknown contract', place(99), kill],
  ['bytes beyond the arguments', contracts.killSwitch, `${kill}00`],
  ['a function of another contract', contracts.token, kill],
  [
    'a scope that there is not',
    contracts.killSwitch,
    encodeFunctionData({ abi: killSwitchAbi, functionName: 'kill', args: [9, type.subject, 1, ''] }),
  ],
  [
    'a subject that is none of its scope',
    contracts.killSwitch,
    encodeFunctionData({
      abi: killSwitchAbi,
      functionName: 'kill',
      args: [Scope.Fleet, type.subject, 1, ''],
    }),
  ],
  [
    'a word that is no type',
    contracts.killPolicies,
    encodeFunctionData({
      abi: killPoliciesAbi,
      functionName: 'removePolicy',
      args: [`0x${'ff'.repeat(32)}`, 1n],
    }),
  ],
])('%s is unreadable, and says so', (_, target, data) => {
  const views = view(call(target, data))
  expect(views).toMatchObject([{ kind: 'unreadable', action: { target, data } }])
  expect(views[0]?.warning).toMatch(/^Nobody can say from here/)
  expect(proposalTitle(views)).toMatch(/^An unreadable call/)
})

test('no action at all', () => {
  expect(proposalTitle(view())).toBe('Does nothing')
})
