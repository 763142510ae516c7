import {
  expiryOf,
  type ProposalRecord,
  type ProposalState,
  quorumReached,
  type Thresholds,
} from '../../protocol/governance/ballots.ts'
import { clockTime, dateTime, wholeDuration } from '../format.ts'

/** What a state is called. */
export const stateNames: Readonly<Record<ProposalState, string>> = {
  pending: 'Not open yet',
  active: 'Open',
  defeated: 'Not carried',
  succeeded: 'Passed',
  queued: 'Queued',
  expired: 'Expired',
  executed: 'Executed',
  canceled: 'Cancelled',
}

/** Local time, with the date unless it is within half a day. @param at Unix seconds */
const localTime = (at: number, now: number): string =>
  Math.abs(at - now) < 43_200 ? `at ${clockTime(at * 1000)}` : `on ${dateTime(at * 1000)}`

const ahead = (at: number, now: number): string =>
  `in ${wholeDuration(Math.max(0, at - now) * 1000)}, ${localTime(at, now)}`

/** What comes next, and when, in local time. @param now Unix seconds of the chain */
export function nextWords(
  record: ProposalRecord,
  state: ProposalState,
  thresholds: Thresholds,
  now: number,
): string {
  switch (state) {
    case 'pending':
      return `Voting begins ${ahead(record.snapshot + 1, now)}`
    case 'active':
      return `Voting ends ${ahead(record.deadline, now)}${record.isExtended ? ' (prolonged: quorum came late)' : ''}`
    case 'defeated':
      return quorumReached(record, thresholds)
        ? 'Not more for than against'
        : `Quorum missed; voting ended ${localTime(record.deadline, now)}`
    case 'succeeded':
      return `Anyone can ${record.governor === 'emergency' ? 'execute' : 'queue'} it now; it expires ${ahead(expiryOf(record), now)}`
    case 'queued':
      return record.eta !== null && now < record.eta
        ? `Can be executed ${ahead(record.eta, now)}`
        : `Anyone can execute it now; it expires ${ahead(expiryOf(record), now)}`
    case 'expired':
      return `Carried, but nobody ${record.governor === 'policy' && record.eta === null ? 'queued' : 'executed'} it in time; it ended ${localTime(expiryOf(record), now)}`
    case 'executed':
      return record.executedAt === null || record.executedAt.time === 0
        ? 'Done'
        : `Done ${localTime(record.executedAt.time, now)}`
    case 'canceled':
      return 'By its proposer'
  }
}

/** Under which state a proposal still asks something of somebody. */
export const isOpen = (state: ProposalState): boolean =>
  state === 'pending' || state === 'active' || state === 'succeeded' || state === 'queued'
