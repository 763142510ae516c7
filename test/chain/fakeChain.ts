import { createHash } from 'node:crypto'
import {
  encodeAbiParameters,
  encodeEventTopics,
  encodeFunctionData,
  keccak256,
  numberToHex,
  parseTransaction,
  zeroHash,
} from 'viem'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import type { Hex } from '../../protocol/hex.ts'
import { killOrderDigest, killOrderTypedData } from '../../protocol/order.ts'
import { ownerTarget } from '../../protocol/scope.ts'
import type { Rpc } from '../../relayer/chain/rpc/rpc.ts'
import { parseHeader } from '../../relayer/chain/rpc/rpcBlock.ts'
import { RpcUnavailableError } from '../../relayer/chain/rpc/rpcErrors.ts'
import type { Schedule } from '../../relayer/schedule.ts'
import { accountAt, chainId } from './contract.ts'

export const fakeContract: Hex = `0x${'c0'.repeat(20)}`

export type FakeKill = { readonly txHash: Hex; readonly transaction: unknown; readonly log: object }
export type FakeBlock = {
  readonly number: number
  readonly hash: Hex
  readonly parent: FakeBlock | null
  /** Unix seconds. */
  readonly time: number
  readonly kills: readonly FakeKill[]
}

const hashed = (text: string): Hex => `0x${createHash('sha256').update(text).digest('hex')}`

/** A kill of all agents of account `index` by its own signed transaction; with a deadline, by its order in that. */
export async function fakeKill(index: number, text: string, deadline?: bigint): Promise<FakeKill> {
  const account = accountAt(index)
  const target = ownerTarget(account.address)
  const times = { issuedAt: 1_000n, deadline: deadline ?? 0n, nonce: 5n }
  const order = { authority: account.address, ...target, reason: 1, text, ...times }
  const deployment = { chainId, contract: fakeContract }
  const data =
    deadline === undefined
      ? encodeFunctionData({
          abi: killSwitchAbi,
          functionName: 'emergencyKill',
          args: [account.address, 1, text],
        })
      : encodeFunctionData({
          abi: killSwitchAbi,
          functionName: 'killBySig',
          args: [order, await account.signTypedData(killOrderTypedData(deployment, order))],
        })
  const serialized = await account.signTransaction({
    type: 'eip1559',
    chainId,
    to: fakeContract,
    nonce: 1,
    gas: 1n,
    maxFeePerGas: 2n,
    maxPriorityFeePerGas: 1n,
    data,
  })
  const { r, s, yParity } = parseTransaction(serialized) as unknown as Record<string, unknown>
  const txHash = keccak256(serialized)
  const quantities = { chainId, nonce: 1, gas: 1, maxFeePerGas: 2, maxPriorityFeePerGas: 1, value: 0 }
  return {
    txHash,
    transaction: {
      ...Object.fromEntries(Object.entries(quantities).map(([name, value]) => [name, numberToHex(value)])),
      ...{ type: '0x2', hash: txHash, to: fakeContract, from: account.address, input: data, r, s },
      yParity: numberToHex(yParity as number),
    },
    log: {
      address: fakeContract,
      topics: encodeEventTopics({
        abi: killSwitchAbi,
        eventName: 'Killed',
        args: { ...target, authority: account.address },
      }),
      data: encodeAbiParameters(
        [{ type: 'uint8' }, { type: 'uint16' }, { type: 'uint48' }, { type: 'bytes32' }, { type: 'string' }],
        [2, 1, 9, deadline === undefined ? zeroHash : killOrderDigest(deployment, order), text],
      ),
      transactionHash: txHash,
    },
  }
}

export const genesis: FakeBlock = { number: 0, hash: hashed('genesis'), parent: null, time: 1_000, kills: [] }

/** A child of a block; of the same name it is the same block. */
export const mine = (parent: FakeBlock, name = '', kills: readonly FakeKill[] = []): FakeBlock => ({
  number: parent.number + 1,
  hash: hashed(`${parent.hash} ${name}`),
  parent,
  time: parent.time + 1,
  kills,
})

/** `count` more blocks. */
export const mineOn = (parent: FakeBlock, count: number, name = ''): FakeBlock =>
  count === 0 ? parent : mineOn(mine(parent, name), count - 1, name)

const ancestors = function* (head: FakeBlock): Generator<FakeBlock> {
  for (let block: FakeBlock | null = head; block !== null; block = block.parent) yield block
}

const rawBlock = (block: FakeBlock) => ({
  number: numberToHex(block.number),
  hash: block.hash,
  parentHash: block.parent?.hash ?? hashed('nothing'),
  timestamp: numberToHex(block.time),
})

export type FakeRpc = {
  readonly rpc: Rpc
  readonly asked: string[]
  head: FakeBlock
  /** Methods that are never answered. */
  hanging: (method: string) => boolean
  /** A block of the chain that it makes up, by number; it is asked before its real one. */
  invents: ((number: number) => FakeBlock) | null
  /** Whether it gives transactions. */
  proves: boolean
  /** What it answers instead of the truth; an error is thrown. */
  lies: (method: string, params: readonly unknown[]) => unknown
  /** Says of a log's time. */
  logTime: (block: FakeBlock) => object
  /** Announces its head by itself. */
  announce(): void
}

/** A node whose chain ends at `head`; the test moves it. */
export function createFakeRpc(url: string, head: FakeBlock, time: VirtualTime): FakeRpc {
  const listeners: Parameters<Rpc['onHeads']>[0][] = []
  const known = new Map<Hex, FakeBlock>()
  const answer = (method: string, params: readonly unknown[]): unknown => {
    for (const block of ancestors(self.head)) known.set(block.hash, block)
    const [what] = params
    switch (method) {
      case 'eth_chainId':
        return numberToHex(chainId)
      case 'eth_getBlockByHash': {
        const block = known.get(what as Hex)
        return block === undefined ? null : rawBlock(block)
      }
      case 'eth_getBlockByNumber': {
        if (what === 'latest') return rawBlock(self.head)
        if (what === 'finalized') return rawBlock([...ancestors(self.head)][5] ?? genesis)
        const invented = self.invents?.(Number(what))
        if (invented !== undefined) known.set(invented.hash, invented)
        const block = invented ?? [...ancestors(self.head)].find(({ number }) => number === Number(what))
        return block === undefined ? null : rawBlock(block)
      }
      case 'eth_getLogs': {
        const { blockHash, fromBlock, toBlock } = what as Record<string, Hex>
        const blocks =
          blockHash === undefined
            ? [...ancestors(self.head)]
                .filter(({ number }) => number >= Number(fromBlock) && number <= Number(toBlock))
                .reverse()
            : [known.get(blockHash) ?? genesis]
        return blocks.flatMap((block) =>
          block.kills.map(({ log }, i) => ({
            ...log,
            ...self.logTime(block),
            blockHash: block.hash,
            blockNumber: numberToHex(block.number),
            logIndex: numberToHex(i),
          })),
        )
      }
      case 'eth_getTransactionByHash': {
        const kills = [...known.values()].flatMap((block) => block.kills)
        return (self.proves && kills.find(({ txHash }) => txHash === what)?.transaction) || null
      }
    }
    throw new Error(`${method} is not faked`)
  }
  const self: FakeRpc = {
    head,
    hanging: () => false,
    invents: null,
    proves: true,
    lies: () => false,
    logTime: () => ({}),
    asked: [],
    announce() {
      const header = parseHeader(rawBlock(self.head))
      for (const listener of listeners) listener(header, time.clock.monotonic())
    },
    rpc: {
      url,
      request: (method, params, timeout = 2_000) =>
        new Promise((resolve, reject) => {
          self.asked.push(method)
          if (self.hanging(method)) {
            time.schedule(timeout, () => reject(new RpcUnavailableError(url, method, 'silent')))
            return
          }
          const said = self.lies(method, params) || answer(method, params)
          time.schedule(1, () => (said instanceof Error ? reject(said) : resolve(said)))
        }),
      onHeads: (listener) => void listeners.push(listener),
      onConnected() {},
      close() {},
    },
  }
  return self
}

export type VirtualTime = {
  readonly clock: { wall(): number; monotonic(): number }
  readonly schedule: Schedule
  /** Lets so many ms pass, with all that happens in them. */
  pass(ms: number): Promise<void>
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** @param start Unix ms */
export function createVirtualTime(start: number): VirtualTime {
  let now = 0
  let timers: { readonly at: number; readonly action: () => void }[] = []
  return {
    clock: { wall: () => start + now, monotonic: () => now },
    schedule(ms, action) {
      const timer = { at: now + ms, action }
      timers.push(timer)
      return () => {
        timers = timers.filter((one) => one !== timer)
      }
    },
    async pass(ms) {
      const end = now + ms
      for (;;) {
        for (let i = 0; i < 5; i++) await turn()
        const next = timers.reduce<(typeof timers)[number] | null>(
          (first, timer) => (first === null || timer.at < first.at ? timer : first),
          null,
        )
        if (next === null || next.at > end) break
        timers = timers.filter((one) => one !== next)
        now = next.at
        next.action()
      }
      now = end
    },
  }
}
