// What the governors' events say, and where a proposal stands by it: twin of `state` of both governors.
import { encodeAbiParameters, type Hex, hexToBytes, keccak256, toHex } from 'viem'
import type { GovernedContracts } from './contracts.ts'
import type { GovernanceEvent, GovernorName, SettingName, Support } from './governanceLog.ts'
import { descriptionHash, type Proposal, proposalId, proposeArguments } from './proposal.ts'
import { gracePeriods } from './settings.ts'

/** Where an event stands in the chain; time in Unix seconds, 0 where it is not known. */
export type Place = {
  readonly block: bigint
  readonly logIndex: number
  readonly txHash: Hex
  readonly time: number
}

export type PlacedEvent = Place & { readonly event: GovernanceEvent }

export type Ballot = {
  readonly voter: Hex
  readonly support: Support
  readonly weight: bigint
  readonly reason: string
  readonly place: Place
}

/** Votes in the token's smallest unit. */
export type Votes = { readonly against: bigint; readonly for: bigint; readonly abstain: bigint }

/** A proposal as the events tell it. */
export type ProposalRecord = {
  readonly governor: GovernorName
  readonly id: bigint
  readonly proposer: Hex
  readonly proposal: Proposal
  /** Whether its id is that of these actions and this description; if not, somebody lies. */
  readonly isGenuine: boolean
  /** Powers count as they were at this second. */
  readonly snapshot: number
  /** The last second in which votes count. */
  readonly deadline: number
  readonly isExtended: boolean
  readonly createdAt: Place
  readonly ballots: readonly Ballot[]
  readonly votes: Votes
  /** When the timelock lets it go. */
  readonly eta: number | null
  readonly executedAt: Place | null
  readonly canceledAt: Place | null
}

export type ProposalState =
  | 'pending'
  | 'active'
  | 'defeated'
  | 'succeeded'
  | 'queued'
  | 'expired'
  | 'executed'
  | 'canceled'

/** A setting, from a time on. */
export type SettingChange = {
  readonly governor: GovernorName
  readonly setting: SettingName
  readonly value: bigint
  readonly place: Place
}

const operationParameters = [
  { type: 'address[]' },
  { type: 'uint256[]' },
  { type: 'bytes[]' },
  { type: 'bytes32' },
  { type: 'bytes32' },
] as const

/** Under what the timelock keeps a proposal: twin of `GovernorTimelockControl`'s salt and `hashOperationBatch`. */
export function operationId(policyGovernor: Hex, proposal: Proposal): Hex {
  const [targets, values, payloads] = proposeArguments(proposal)
  const salt = hexToBytes(descriptionHash(proposal.description))
  hexToBytes(policyGovernor).forEach((byte, index) => {
    salt[index] = (salt[index] ?? 0) ^ byte
  })
  return keccak256(
    encodeAbiParameters(operationParameters, [targets, values, payloads, `0x${'0'.repeat(64)}`, toHex(salt)]),
  )
}

export const proposalKey = (governor: GovernorName, id: bigint): string => `${governor}:${id}`

/** All proposals by `proposalKey`, oldest first. @param events in the order of the chain */
export function foldProposals(
  contracts: GovernedContracts,
  events: readonly PlacedEvent[],
): ReadonlyMap<string, ProposalRecord> {
  const records = new Map<string, ProposalRecord>()
  const operations = new Map<Hex, string>()
  // Grown in place: a proposal can have a hundred thousand of them.
  const ballots = new Map<string, Ballot[]>()
  const change = (key: string, part: (record: ProposalRecord) => Partial<ProposalRecord>): void => {
    const record = records.get(key)
    // Events of a proposal that was made before the logs begin say nothing that could be shown.
    if (record !== undefined) records.set(key, { ...record, ...part(record) })
  }
  for (const { event, ...place } of events) {
    switch (event.type) {
      case 'ProposalCreated': {
        const { governor, id, proposer, proposal, voteStart, voteEnd } = event
        const key = proposalKey(governor, id)
        const cast: Ballot[] = []
        ballots.set(key, cast)
        if (governor === 'policy') operations.set(operationId(contracts.policyGovernor, proposal), key)
        records.set(key, {
          governor,
          id,
          proposer,
          proposal,
          isGenuine: proposalId(proposal) === id,
          snapshot: voteStart,
          deadline: voteEnd,
          isExtended: false,
          createdAt: place,
          ballots: cast,
          votes: { against: 0n, for: 0n, abstain: 0n },
          eta: null,
          executedAt: null,
          canceledAt: null,
        })
        break
      }
      case 'VoteCast': {
        const { governor, id, voter, support, weight, reason } = event
        const key = proposalKey(governor, id)
        ballots.get(key)?.push({ voter, support, weight, reason, place })
        change(key, ({ votes }) => ({
          votes: {
            against: votes.against + (support === 0 ? weight : 0n),
            for: votes.for + (support === 1 ? weight : 0n),
            abstain: votes.abstain + (support === 2 ? weight : 0n),
          },
        }))
        break
      }
      case 'ProposalExtended':
        change(proposalKey(event.governor, event.id), () => ({ deadline: event.deadline, isExtended: true }))
        break
      case 'ProposalQueued':
        change(proposalKey(event.governor, event.id), () => ({ eta: event.eta }))
        break
      case 'ProposalExecuted':
        change(proposalKey(event.governor, event.id), () => ({ executedAt: place }))
        break
      case 'ProposalCanceled':
        change(proposalKey(event.governor, event.id), () => ({ canceledAt: place }))
        break
      case 'OperationExecuted': {
        // Anyone may execute at the timelock itself; the governor says nothing then.
        const key = operations.get(event.operation)
        if (key !== undefined) change(key, ({ executedAt }) => ({ executedAt: executedAt ?? place }))
        break
      }
    }
  }
  return records
}

/** Every change of a governor's settings, in the order of the chain. */
export const settingChanges = (events: readonly PlacedEvent[]): readonly SettingChange[] =>
  events.flatMap(({ event, ...place }) =>
    event.type === 'SettingSet'
      ? [{ governor: event.governor, setting: event.setting, value: event.value, place }]
      : [],
  )

/**
 * A setting's value; null before it was ever set.
 * @param at Unix seconds; changes within that second count
 */
export const settingAt = (
  changes: readonly SettingChange[],
  governor: GovernorName,
  setting: SettingName,
  at = Number.POSITIVE_INFINITY,
): bigint | null =>
  changes.findLast((one) => one.governor === governor && one.setting === setting && one.place.time <= at)
    ?.value ?? null

/** What a proposal has to reach, in the token's smallest unit; `superQuorum` ends an emergency vote early. */
export type Thresholds = { readonly quorum: bigint; readonly superQuorum: bigint | null }

/** Shares of the supply that hold for votes of a snapshot (Unix seconds). */
export function thresholdsAt(
  changes: readonly SettingChange[],
  governor: GovernorName,
  supply: bigint,
  snapshot: number,
): Thresholds {
  const share = (setting: SettingName): bigint =>
    (supply * (settingAt(changes, governor, setting, snapshot) ?? 0n)) / 100n
  return { quorum: share('quorum'), superQuorum: governor === 'emergency' ? share('superQuorum') : null }
}

export const quorumReached = ({ votes }: Pick<ProposalRecord, 'votes'>, { quorum }: Thresholds): boolean =>
  votes.for + votes.abstain >= quorum

/** The last second in which a carried proposal can be queued, or executed where it is queued or never is. Unix seconds. */
export const expiryOf = ({
  governor,
  deadline,
  eta,
}: Pick<ProposalRecord, 'governor' | 'deadline' | 'eta'>): number => {
  if (governor === 'emergency') return deadline + gracePeriods.emergency
  return eta === null ? deadline + gracePeriods.queueing : eta + gracePeriods.execution
}

/**
 * Where a proposal stands: twin of `PolicyGovernor.state` and `EmergencyGovernor.state`.
 * @param now Unix seconds of the chain
 */
export function proposalState(record: ProposalRecord, thresholds: Thresholds, now: number): ProposalState {
  const { votes, snapshot, deadline, eta, executedAt, canceledAt } = record
  if (executedAt !== null) return 'executed'
  if (canceledAt !== null) return 'canceled'
  if (snapshot >= now) return 'pending'
  const carries = votes.for > votes.against
  const passed = now > expiryOf(record) ? 'expired' : eta === null ? 'succeeded' : 'queued'
  if (deadline >= now) {
    const { superQuorum } = thresholds
    return superQuorum !== null && votes.for >= superQuorum && carries ? passed : 'active'
  }
  return quorumReached(record, thresholds) && carries ? passed : 'defeated'
}
