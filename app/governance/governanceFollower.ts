import type { Client } from 'viem'
import { getBlock, readContract } from 'viem/actions'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import type { PlacedEvent } from '../../protocol/governance/ballots.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import { decodeGovernanceLog, governanceEvents } from '../../protocol/governance/governanceLog.ts'
import { createFoldFollower, type FoldView, type Found } from '../chain/foldFollower.ts'
import { readLogs } from '../chain/readLogs.ts'
import { mapStore, type Store } from '../store.ts'
import { emptyGovernance, foldGovernance, type Governance } from './governance.ts'

/** What the user's node says of all that token holders govern. */
export type GovernanceView = Omit<FoldView<unknown>, 'fold'> & {
  /** Null before all logs were read once. */
  readonly governance: Governance | null
}

export type GovernanceFollower = {
  readonly contracts: GovernedContracts
  readonly view: Store<GovernanceView>
  /** Reads now what came since; shared by callers that ask at once. */
  refresh(): Promise<void>
  /** Follows for as long as the page lives. */
  start(): void
}

type FoundEvent = PlacedEvent & Found
type Fold = { readonly events: readonly FoundEvent[]; readonly governance: Governance }

/** Rebuilds proposals, votes, policies and delegations from logs, and keeps them up to date. */
export function createGovernanceFollower(options: {
  readonly client: Client
  readonly contracts: GovernedContracts
  readonly fromBlock: bigint
  /** ms between two looks at the head */
  readonly interval: number
  readonly now: () => number
}): GovernanceFollower {
  const { client, contracts, fromBlock, interval, now } = options
  const { killSwitch: _, ...others } = contracts
  const source = { address: Object.values(others), events: governanceEvents }
  const times = new Map<bigint, number>()
  /** The token makes its supply once, so one question is enough. */
  let supply: Promise<bigint> | null = null

  const read = async (
    from: bigint,
    to: bigint,
    onProgress: (block: bigint) => void,
  ): Promise<FoundEvent[]> => {
    supply ??= readContract(client, {
      address: contracts.token,
      abi: killswitchTokenAbi,
      functionName: 'totalSupply',
    })
    try {
      total = await supply
    } catch (error) {
      supply = null
      throw error
    }
    const events: FoundEvent[] = []
    await readLogs(client, source, from, to, async (logs, end) => {
      for (const log of logs) {
        const event = decodeGovernanceLog(contracts, log)
        if (event === null) continue
        const { blockNumber: block, blockHash, logIndex, transactionHash: txHash } = log
        let time = Number(log.blockTimestamp ?? times.get(block) ?? 0)
        // Ballots and delegations are many, and their time is only shown.
        const counts = !['VoteCast', 'DelegateChanged', 'VotesChanged'].includes(event.type)
        if (time === 0 && counts) time = Number((await getBlock(client, { blockNumber: block })).timestamp)
        times.set(block, time)
        events.push({ event, block, blockHash, logIndex, txHash, time })
      }
      onProgress(end)
    })
    return events
  }
  let total = 0n

  const { view, refresh, start } = createFoldFollower<Fold, FoundEvent>({
    client,
    fromBlock,
    interval,
    now,
    read,
    first: { events: [], governance: emptyGovernance },
    advance(fold, events) {
      const all = [...fold.events, ...events]
      return { events: all, governance: foldGovernance(contracts, all, total) }
    },
  })
  return {
    contracts,
    view: mapStore(view, ({ fold, ...rest }) => ({ ...rest, governance: fold?.governance ?? null })),
    refresh,
    start,
  }
}
