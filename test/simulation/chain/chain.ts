import type { Hex } from '../../../protocol/hex.ts'
import type { RegistryEvent } from '../../../protocol/registry.ts'
import { bloomOfLogs } from '../../../relayer/chain/follow/bloom.ts'
import type { ChainBlockHeader } from '../../../relayer/kill/chainPort.ts'
import {
  type ContractRule,
  type ContractSettings,
  type ContractState,
  copyOf,
  deployed,
  execute,
} from './contract.ts'
import { encodeRegistryEvent } from './eventLog.ts'
import type { Transaction } from './transaction.ts'

/** An event of the contract in a block. */
export type MinedEvent = {
  readonly logIndex: number
  readonly transaction: Transaction
  readonly event: RegistryEvent
}

/** A log as nodes give it. */
export type RawLog = {
  readonly address: Hex
  readonly topics: readonly Hex[]
  readonly data: Hex
  readonly blockHash: Hex
  readonly blockNumber: Hex
  readonly transactionHash: Hex
  readonly logIndex: Hex
}

/** A block of any branch, with the contract's state after it. */
export type Block = ChainBlockHeader & {
  readonly parent: Block | null
  readonly transactions: readonly Transaction[]
  readonly events: readonly MinedEvent[]
  readonly logs: readonly RawLog[]
  readonly logsBloom: Hex
  readonly state: ContractState
}

/** The tree of all blocks, the branch that is canonical, and how much of it is final. */
export type Chain = {
  readonly head: Block
  /** Never leaves the canonical branch. */
  readonly finalized: Block
  block(hash: Hex): Block | undefined
  /** Whether a block or one before it holds the transaction. */
  has(block: Block, transaction: Transaction): boolean
  /** Makes a block on any other, without making it canonical. @param time Unix seconds */
  mine(parent: Block, transactions: readonly Transaction[], time: number): Block
  /** @throws {RangeError} for a branch that leaves out the finalized block */
  adopt(head: Block): void
  /** @throws {RangeError} for a block that is not canonical, or below the finalized one */
  finalize(block: Block): void
}

const noBloom: Hex = `0x${'0'.repeat(512)}`
const quantity = (value: number): Hex => `0x${value.toString(16)}`

/** The ancestor (or the block itself) at a height. */
export function ancestorAt(block: Block, number: number): Block | null {
  let found: Block | null = block
  while (found !== null && found.number > number) found = found.parent
  return found
}

export const descendsFrom = (block: Block, ancestor: Block): boolean =>
  ancestorAt(block, ancestor.number) === ancestor

export function createChain(options: {
  readonly contract: Hex
  readonly settings: ContractSettings
  readonly without: ReadonlySet<ContractRule>
  /** Of the first block, Unix seconds. */
  readonly startTime: number
  readonly newHash: () => Hex
  /** Told of each new block. */
  readonly onBlock: (block: Block) => void
}): Chain {
  const { contract, newHash } = options
  const blocks = new Map<Hex, Block>()
  const minedIn = new Map<Transaction, Block[]>()

  const seal = (
    parent: Block | null,
    time: number,
    transactions: readonly Transaction[],
    events: readonly MinedEvent[],
    state: ContractState,
  ): Block => {
    const hash = newHash()
    const number = parent === null ? 1 : parent.number + 1
    const logs = events.map(
      ({ logIndex, transaction, event }): RawLog => ({
        address: contract,
        ...encodeRegistryEvent(event),
        blockHash: hash,
        blockNumber: quantity(number),
        transactionHash: transaction.hash,
        logIndex: quantity(logIndex),
      }),
    )
    const block: Block = {
      number,
      hash,
      parentHash: parent?.hash ?? `0x${'0'.repeat(64)}`,
      time,
      parent,
      transactions,
      events,
      logs,
      logsBloom: logs.length === 0 ? noBloom : bloomOfLogs(logs),
      state,
    }
    blocks.set(hash, block)
    for (const transaction of transactions)
      minedIn.set(transaction, [...(minedIn.get(transaction) ?? []), block])
    options.onBlock(block)
    return block
  }

  const creation = deployed(options.settings)
  const deployment = {
    hash: newHash(),
    from: options.settings.governance,
    call: { name: 'setCooldown', rank: 1, cooldown: 0 },
  } as const
  let head = seal(
    null,
    options.startTime,
    [],
    creation.events.map((event, logIndex) => ({ logIndex, transaction: deployment, event })),
    creation.state,
  )
  let finalized = head

  return {
    get head() {
      return head
    },
    get finalized() {
      return finalized
    },
    block: (hash) => blocks.get(hash),
    has: (block, transaction) => (minedIn.get(transaction) ?? []).some((one) => descendsFrom(block, one)),
    mine(parent, transactions, time) {
      const blockTime = Math.max(parent.time + 1, time)
      const state = transactions.length === 0 ? parent.state : copyOf(parent.state)
      const events: MinedEvent[] = []
      for (const transaction of transactions) {
        const emitted = execute(state, transaction, blockTime, options.without)
        if (typeof emitted === 'string') continue
        for (const event of emitted) events.push({ logIndex: events.length, transaction, event })
      }
      return seal(parent, blockTime, transactions, events, state)
    },
    adopt(block) {
      if (!descendsFrom(block, finalized))
        throw new RangeError(`block ${block.hash} does not descend from the finalized block`)
      head = block
    },
    finalize(block) {
      if (!descendsFrom(head, block) || !descendsFrom(block, finalized))
        throw new RangeError(`block ${block.hash} cannot be finalized`)
      finalized = block
    },
  }
}
