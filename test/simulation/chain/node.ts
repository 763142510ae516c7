import type { Hex } from '../../../protocol/hex.ts'
import { fleetTarget } from '../../../protocol/scope.ts'
import { bloomOfLogs } from '../../../relayer/chain/follow/bloom.ts'
import type { After } from '../time.ts'
import { ancestorAt, type Block, type Chain, type RawLog } from './chain.ts'
import { encodeRegistryEvent } from './eventLog.ts'

/** What is wrong with a node at present. */
export type NodeFaults = {
  /** How far its view of the chain is behind, in ms. */
  lag: number
  /** Sees nothing new. */
  stuck: boolean
  /** Takes requests and never answers; its announcements still come. */
  hangs: boolean
  /** Refuses connections. */
  down: boolean
  lie: Lie | null
}

/**
 * `no logs`: leaves out all logs. `other logs`: gives the logs of another block. `other parent`: gives headers another
 * parent. `old head`: names an old block as its head. `other chain`: says to be of another chain. `error`: refuses all.
 * The others are told below.
 */
export type Lie =
  | 'no logs'
  | 'other logs'
  | 'other parent'
  | 'old head'
  | 'other chain'
  | 'error'
  | 'early finality'
  | 'invented kill'
export const lies: readonly Lie[] = [
  'no logs',
  'other logs',
  'other parent',
  'old head',
  'other chain',
  'error',
]
/** Lies that one node alone could be believed: everything is final, or there is a block with a kill on top. */
export const wilderLies: readonly Lie[] = ['early finality', 'invented kill']

/** A JSON-RPC error as nodes give it. */
export class NodeError extends Error {
  override readonly name = 'NodeError'
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** One node of the chain with its own view. */
export type ChainNode = {
  readonly name: string
  readonly faults: NodeFaults
  /** When its view last changed, in ms of virtual time. */
  readonly changedAt: number
  readonly head: Block
  /** Tells the node that the chain has changed; it sees that after its lag. */
  sync(): void
  /** @throws {NodeError} */
  answer(method: string, params: readonly unknown[]): unknown
  /** The listener is given each new head as JSON; the result ends it. */
  onHead(listener: (header: unknown) => void): () => void
}

const quantity = (value: number): Hex => `0x${value.toString(16)}`

export function createChainNode(options: {
  readonly name: string
  readonly chain: Chain
  readonly chainId: number
  readonly contract: Hex
  readonly after: After
  readonly now: () => number
}): ChainNode {
  const { name, chain, chainId, contract, after, now } = options
  const faults: NodeFaults = { lag: 0, stuck: false, hangs: false, down: false, lie: null }
  const listeners = new Set<(header: unknown) => void>()
  /** Every block that it has had in its chain. */
  const known = new Set<Block>()
  let head = chain.head
  let finalized = chain.finalized
  let changedAt = now()
  let due = 0

  const learn = (block: Block) => {
    for (let one: Block | null = block; one !== null && !known.has(one); one = one.parent) known.add(one)
  }
  learn(head)

  const headerOf = (block: Block | null) =>
    block === null
      ? null
      : {
          number: quantity(block.number),
          hash: block.hash,
          parentHash:
            faults.lie === 'other parent'
              ? `0x${block.hash.slice(2, 34)}${'f'.repeat(32)}`
              : block.parentHash,
          timestamp: quantity(block.time),
          logsBloom: block.logsBloom,
        }

  const invented = new Map<Hex, Block>()
  /** A block that nobody mined, with a kill of the whole fleet. */
  const invent = (parent: Block): Block => {
    const hash: Hex = `0x${parent.hash.slice(34)}${parent.hash.slice(2, 34)}`
    const had = invented.get(hash)
    if (had !== undefined) return had
    const number = parent.number + 1
    const log: RawLog = {
      address: contract,
      ...encodeRegistryEvent({
        type: 'Killed',
        ...fleetTarget,
        authority: parent.state.registry.council ?? contract,
        rank: 3,
        reason: 1,
        sequence: parent.state.registry.sequence + 1,
        orderDigest: null,
        text: '',
      }),
      blockHash: hash,
      blockNumber: quantity(number),
      transactionHash: hash,
      logIndex: '0x0',
    }
    const block: Block = {
      ...parent,
      number,
      hash,
      parentHash: parent.hash,
      parent,
      time: parent.time + 1,
      transactions: [],
      events: [],
      logs: [log],
      logsBloom: bloomOfLogs([log]),
    }
    invented.set(hash, block)
    return block
  }

  const shownHead = (): Block => {
    if (faults.lie === 'old head') return ancestorAt(head, Math.max(1, head.number - 8)) ?? head
    return faults.lie === 'invented kill' ? invent(head) : head
  }
  const blockOf = (hash: Hex): Block | undefined => {
    const block = chain.block(hash)
    return block !== undefined && known.has(block) ? block : invented.get(hash)
  }

  const byNumber = (what: string): Block | null => {
    if (what === 'latest') return shownHead()
    if (what === 'finalized' || what === 'safe') return faults.lie === 'early finality' ? head : finalized
    const number = Number(what)
    return number > shownHead().number ? null : ancestorAt(shownHead(), number)
  }

  const logsOf = (block: Block, address: string | undefined): readonly RawLog[] => {
    const shown = faults.lie === 'other logs' ? (block.parent ?? block) : block
    return faults.lie === 'no logs'
      ? []
      : shown.logs.filter((log) => address === undefined || log.address === address)
  }

  const getLogs = (filter: { blockHash?: Hex; fromBlock?: Hex; toBlock?: Hex; address?: string }) => {
    if (filter.blockHash !== undefined) {
      const block = blockOf(filter.blockHash)
      if (block === undefined) throw new NodeError(-32000, 'unknown block')
      return logsOf(block, filter.address)
    }
    const [from, to] = [Number(filter.fromBlock), Number(filter.toBlock)]
    if (to > head.number) throw new NodeError(-32000, 'block range extends beyond current head block')
    const logs: RawLog[] = []
    for (let number = from; number <= to; number++) {
      const block = ancestorAt(head, number)
      if (block !== null) logs.push(...logsOf(block, filter.address))
    }
    return logs
  }

  return {
    name,
    faults,
    get changedAt() {
      return changedAt
    },
    get head() {
      return head
    },
    sync() {
      const seen = { head: chain.head, finalized: chain.finalized }
      due = Math.max(due, now() + faults.lag)
      after(due - now(), () => {
        if (faults.stuck || faults.down) return
        const isNew = head !== seen.head
        head = seen.head
        finalized = seen.finalized
        learn(head)
        if (isNew) changedAt = now()
        if (!isNew && faults.lie === null) return
        for (const listener of [...listeners]) listener(headerOf(shownHead()))
      })
    },
    answer(method, params) {
      if (faults.lie === 'error') throw new NodeError(-32005, 'rate limit exceeded')
      switch (method) {
        case 'eth_chainId':
          return quantity(faults.lie === 'other chain' ? chainId + 1 : chainId)
        case 'eth_getBlockByNumber':
          return headerOf(byNumber(String(params[0])))
        case 'eth_getBlockByHash':
          return headerOf(blockOf(params[0] as Hex) ?? null)
        case 'eth_getLogs':
          return getLogs(params[0] as Parameters<typeof getLogs>[0])
        default:
          throw new NodeError(-32601, `the method ${method} does not exist`)
      }
    },
    onHead(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
