import { type Hex, type PublicClient, parseAbiItem } from 'viem'
import { emergencyGovernorAbi } from '../../protocol/generated/emergencyGovernorAbi.ts'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import { policyGovernorAbi } from '../../protocol/generated/policyGovernorAbi.ts'
import { policyTimelockAbi } from '../../protocol/generated/policyTimelockAbi.ts'
import { subscriptionsAbi } from '../../protocol/generated/subscriptionsAbi.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import { limitNames } from '../../protocol/policy/killPolicy.ts'
import { fromPolicyStruct, policyWord } from '../../protocol/policy/policyLog.ts'
import { zeroAddress } from './deployContracts.ts'
import type { GovernanceConfig } from './governanceConfig.ts'
import type { Power } from './readPowers.ts'

const roleGranted = parseAbiItem(
  'event RoleGranted(bytes32 indexed role, address indexed account, address indexed sender)',
)

/** Where all contracts stand: timelock and token are those of the governor, whatever the KillSwitch says. */
export async function findContracts(
  client: PublicClient,
  named: Omit<GovernedContracts, 'timelock' | 'token'>,
): Promise<GovernedContracts> {
  const governor = { address: named.policyGovernor, abi: policyGovernorAbi } as const
  const [timelock, token] = await Promise.all([
    client.readContract({ ...governor, functionName: 'timelock' }),
    client.readContract({ ...governor, functionName: 'token' }),
  ])
  return { ...named, timelock: timelock.toLowerCase() as Hex, token: token.toLowerCase() as Hex }
}

/**
 * Reads from the chain who holds which power beside the KillSwitch's own, and compares it with what was asked for.
 * @param deployer who must hold none; null if it is not known
 * @param fromBlock block of the deployment, from which the timelock's roles are read
 */
export async function readGovernancePowers(
  client: PublicClient,
  contracts: GovernedContracts,
  config: GovernanceConfig,
  deployer: Hex | null,
  fromBlock: bigint,
): Promise<readonly Power[]> {
  const power = (name: string, may: string, found: unknown, expected: unknown): Power => {
    const [left, right] = [String(found).toLowerCase(), String(expected).toLowerCase()]
    return { name, may, found: left, expected: right, ok: left === right }
  }
  const { token, policyGovernor, timelock, emergencyGovernor, killSwitch, killPolicies, subscriptions } =
    contracts
  const governor = { address: policyGovernor, abi: policyGovernorAbi } as const
  const emergency = { address: emergencyGovernor, abi: emergencyGovernorAbi } as const
  const lock = { address: timelock, abi: policyTimelockAbi } as const
  const policies = { address: killPolicies, abi: killPoliciesAbi } as const
  const plans = { address: subscriptions, abi: subscriptionsAbi } as const
  const ksw = { address: token, abi: killswitchTokenAbi } as const
  const share = (millionths: number) => (config.supply * BigInt(millionths)) / 1_000_000n

  // The events name the candidates, the contract's own answer counts.
  const granted = await client.getLogs({ address: timelock, event: roleGranted, fromBlock })
  const candidates = [
    ...new Set([...granted.map(({ args }) => args.account as Hex), ...(deployer === null ? [] : [deployer])]),
  ]
  const holders = async (role: Hex): Promise<string> => {
    const held = await Promise.all(
      candidates.map(async (account) =>
        (await client.readContract({ ...lock, functionName: 'hasRole', args: [role, account] }))
          ? [account === zeroAddress ? 'anyone' : account.toLowerCase()]
          : [],
      ),
    )
    const list = held.flat().sort()
    return list.length === 0 ? 'nobody' : list.join(', ')
  }
  const [proposer, canceller, executor, admin] = await Promise.all([
    client.readContract({ ...lock, functionName: 'PROPOSER_ROLE' }),
    client.readContract({ ...lock, functionName: 'CANCELLER_ROLE' }),
    client.readContract({ ...lock, functionName: 'EXECUTOR_ROLE' }),
    client.readContract({ ...lock, functionName: 'DEFAULT_ADMIN_ROLE' }),
  ])
  const [supply, ofHolder, floors, emergencyFloors, sampling] = await Promise.all([
    client.readContract({ ...ksw, functionName: 'totalSupply' }),
    client.readContract({ ...ksw, functionName: 'balanceOf', args: [config.holder] }),
    client.readContract({ ...governor, functionName: 'floors' }),
    client.readContract({ ...emergency, functionName: 'floors' }),
    client.readContract({ ...plans, functionName: 'sampling' }),
  ])
  const [found] = await client.readContract({
    ...policies,
    functionName: 'policyOf',
    args: [policyWord(null)],
  })
  const policy = fromPolicyStruct(found)
  const differing = limitNames.filter((name) => policy.limits[name] !== config.defaultPolicy.limits[name])
  const documents = JSON.stringify([policy.boundary, policy.decisions])
  const samePolicy =
    differing.length === 0 &&
    documents === JSON.stringify([config.defaultPolicy.boundary, config.defaultPolicy.decisions])

  return [
    power('timelock proposer', 'queues what was voted', await holders(proposer), policyGovernor),
    power('timelock canceller', 'cancels what was queued', await holders(canceller), policyGovernor),
    power('timelock executor', 'executes what has waited', await holders(executor), 'anyone'),
    power('timelock admin', 'grants roles', await holders(admin), 'nobody'),
    power(
      'PolicyGovernor acts by',
      '',
      await client.readContract({ ...governor, functionName: 'timelock' }),
      timelock,
    ),
    ...(await Promise.all(
      (
        [
          ['PolicyGovernor', governor],
          ['PolicyTimelock', lock],
          ['EmergencyGovernor', emergency],
          ['KillPolicies', policies],
          ['Subscriptions', plans],
        ] as const
      ).map(async ([name, at]) =>
        power(
          `${name} obeys`,
          'the KillSwitch',
          await client.readContract({
            address: at.address,
            abi: policyTimelockAbi,
            functionName: 'killSwitch',
          }),
          killSwitch,
        ),
      ),
    )),
    power(
      'voters of policies',
      'holders of',
      await client.readContract({ ...governor, functionName: 'token' }),
      token,
    ),
    power(
      'voters of kills',
      'holders of',
      await client.readContract({ ...emergency, functionName: 'token' }),
      token,
    ),
    power(
      'discounts go by',
      'balances of',
      await client.readContract({ ...plans, functionName: 'token' }),
      token,
    ),
    power(
      'currency',
      'pays plans',
      await client.readContract({ ...plans, functionName: 'currency' }),
      config.subscriptions.currency ?? token,
    ),
    power('supply', 'smallest units', supply, config.supply),
    ...(deployer === null ? [] : [power('first holder', 'has the supply', ofHolder, config.supply)]),
    ...(await settings()),
    power(
      'default policy',
      'as asked for',
      samePolicy ? 'as asked for' : `another: ${differing.join(', ') || 'its documents'}`,
      'as asked for',
    ),
    ...(deployer === null ? [] : [await ofDeployer(deployer)]),
  ]

  async function settings(): Promise<readonly Power[]> {
    const read = (name: 'votingDelay' | 'votingPeriod' | 'proposalThreshold' | 'quorumNumerator') => [
      client.readContract({ ...governor, functionName: name } as never) as Promise<bigint>,
      client.readContract({ ...emergency, functionName: name } as never) as Promise<bigint>,
    ]
    const [delays, periods, thresholds, quorums] = await Promise.all(
      (['votingDelay', 'votingPeriod', 'proposalThreshold', 'quorumNumerator'] as const).map((name) =>
        Promise.all(read(name)),
      ),
    )
    const both = (
      name: string,
      unit: string,
      values: readonly bigint[] | undefined,
      asked: readonly unknown[],
    ) =>
      (['policy', 'emergency'] as const).map((which, i) =>
        power(`${which} ${name}`, unit, values?.[i], asked[i]),
      )
    const { policy: slow, emergency: fast } = config
    return [
      ...both('voting delay', 'seconds', delays, [slow.votingDelay, fast.votingDelay]),
      ...both('voting period', 'seconds', periods, [slow.votingPeriod, fast.votingPeriod]),
      ...both('threshold', 'smallest units', thresholds, [
        share(slow.proposalThreshold),
        share(fast.proposalThreshold),
      ]),
      ...both('quorum', '% of the supply', quorums, [slow.quorum, fast.quorum]),
      power(
        'emergency super-quorum',
        '% of the supply',
        await client.readContract({ ...emergency, functionName: 'superQuorumNumerator' }),
        fast.superQuorum,
      ),
      power(
        'vote extension',
        'seconds',
        await client.readContract({ ...governor, functionName: 'lateQuorumVoteExtension' }),
        slow.voteExtension,
      ),
      power(
        'timelock delay',
        'seconds',
        await client.readContract({ ...lock, functionName: 'getMinDelay' }),
        slow.timelockDelay,
      ),
      power(
        'least times',
        'seconds: policy delay, period, timelock; emergency delay, period',
        [
          floors.votingDelay,
          floors.votingPeriod,
          await client.readContract({ ...lock, functionName: 'leastDelay' }),
          emergencyFloors.votingDelay,
          emergencyFloors.votingPeriod,
        ].join(', '),
        [
          slow.floors.votingDelay,
          slow.floors.votingPeriod,
          slow.floors.timelockDelay,
          fast.floors.votingDelay,
          fast.floors.votingPeriod,
        ].join(', '),
      ),
      power(
        'discount samples',
        'balances that count, seconds apart',
        `${sampling.samples}, ${sampling.interval}`,
        `${config.subscriptions.samples}, ${config.subscriptions.interval}`,
      ),
    ]
  }

  /** Everything that a deployer could have kept, in one line. */
  async function ofDeployer(account: Hex): Promise<Power> {
    const kept: string[] = []
    const roles = { proposer, canceller, executor, admin }
    for (const [name, role] of Object.entries(roles)) {
      if (await client.readContract({ ...lock, functionName: 'hasRole', args: [role, account] }))
        kept.push(`timelock ${name}`)
    }
    const read = { address: killSwitch, abi: killSwitchAbi } as const
    for (const office of ['governance', 'pendingGovernance', 'council', 'emergencyGovernor'] as const) {
      if (
        (await client.readContract({ ...read, functionName: office })).toLowerCase() === account.toLowerCase()
      )
        kept.push(office)
    }
    if (await client.readContract({ ...read, functionName: 'isBreaker', args: [account] }))
      kept.push('breaker')
    const balance = await client.readContract({ ...ksw, functionName: 'balanceOf', args: [account] })
    if (balance > 0n && account.toLowerCase() !== config.holder.toLowerCase()) kept.push('votes')
    return power('deployer', 'keeps', kept.length === 0 ? 'nothing' : kept.join(', '), 'nothing')
  }
}
