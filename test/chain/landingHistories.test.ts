import {
  decodeFunctionData,
  encodeErrorResult,
  encodeEventTopics,
  keccak256,
  type LocalAccount,
  parseTransaction,
  toHex,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { expect, test } from 'vitest'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import type { Hex } from '../../protocol/hex.ts'
import { Rank } from '../../protocol/rank.ts'
import { createRegistry } from '../../protocol/registry.ts'
import { Scope } from '../../protocol/scope.ts'
import { createSender } from '../../relayer/chain/land/sender.ts'
import type { Rpc } from '../../relayer/chain/rpc/rpc.ts'
import { RpcResponseError, RpcUnavailableError } from '../../relayer/chain/rpc/rpcErrors.ts'
import type { RpcPool } from '../../relayer/chain/rpc/rpcPool.ts'
import { createLander, type Lander } from '../../relayer/kill/landing/lander.ts'
import type { KillRecord } from '../../relayer/kill/record.ts'

/** `KILLSWITCH_HISTORIES=1000 KILLSWITCH_SEED=7` runs more, or one from a certain seed on. */
const histories = Number(process.env.KILLSWITCH_HISTORIES ?? 12)
const firstSeed = Number(process.env.KILLSWITCH_SEED ?? 1)

const deployment = { chainId: 1, contract: `0x${'c0'.repeat(20)}` } as const
const gwei = 1_000_000_000n
const wallet: Hex = `0x${'a1'.repeat(20)}`
const hash32 = (value: number | bigint): Hex => toHex(value, { size: 32 })

/** mulberry32 */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

type Pooled = {
  readonly hash: Hex
  readonly raw: Hex
  readonly from: Hex
  readonly nonce: number
  readonly maxFee: bigint
  readonly tip: bigint
  /** Nonces of the orders that it carries: they name them. */
  readonly orders: readonly bigint[]
  readonly batch: boolean
}
type Block = { readonly number: number; readonly transactions: readonly Pooled[] }
type Fate = 'good' | 'refused' | 'good until mined'

/** A chain with a pool of transactions, by the rules of nodes and of the contract as far as landing is concerned. */
function createFakeChain(fates: ReadonlyMap<bigint, Fate>) {
  const blocks: Block[] = [{ number: 0, transactions: [] }]
  const pool = new Map<Hex, Pooled>()
  const senders = new Map<Hex, Hex>()
  let baseFee = gwei
  const upTo = (lag: number) => blocks.slice(0, Math.max(1, blocks.length - lag))
  const countIn = (part: readonly Block[], from: Hex) =>
    part.flatMap(({ transactions }) => transactions).filter((one) => one.from === from).length
  const landedIn = (part: readonly Block[]): ReadonlyMap<bigint, { block: Block; transaction: Pooled }> => {
    const landed = new Map<bigint, { block: Block; transaction: Pooled }>()
    for (const block of part)
      for (const transaction of block.transactions)
        for (const order of transaction.orders)
          if (fates.get(order) === 'good' && !landed.has(order)) landed.set(order, { block, transaction })
    return landed
  }
  const decoded = new Map<Hex, Pooled>()
  const decode = (raw: Hex): Pooled => {
    const pooled = decoded.get(raw) ?? decodeNew(raw)
    decoded.set(raw, pooled)
    return pooled
  }
  const decodeNew = (raw: Hex): Pooled => {
    const { nonce, maxFeePerGas, maxPriorityFeePerGas, data } = parseTransaction(raw)
    const call = decodeFunctionData({ abi: killSwitchAbi, data: data as Hex })
    if (call.functionName !== 'killBySig' && call.functionName !== 'landOrders')
      throw new Error(call.functionName)
    const orders = call.functionName === 'killBySig' ? [call.args[0]] : call.args[0]
    return {
      raw,
      hash: keccak256(raw),
      from: senders.get(raw) as Hex,
      nonce: nonce ?? 0,
      maxFee: maxFeePerGas as bigint,
      tip: maxPriorityFeePerGas ?? 0n,
      orders: orders.map((order) => order.nonce),
      batch: call.functionName === 'landOrders',
    }
  }
  const tried = new Map<Hex, bigint>()
  const triedNonce = (data: Hex): bigint => {
    const { args } = decodeFunctionData({ abi: killSwitchAbi, data })
    return (args as readonly [{ nonce: bigint }])[0].nonce
  }
  const refusal = (order: bigint) =>
    encodeErrorResult({ abi: killSwitchAbi, errorName: 'NotAuthorized', args: [wallet, 1, hash32(order)] })
  const refuse = (method: string, message: string, data?: Hex) => {
    throw new RpcResponseError('http://fake', method, {
      code: data === undefined ? -32_000 : 3,
      message,
      data,
    })
  }
  const known = (hash: Hex, part: readonly Block[]) => {
    const mined = part.flatMap(({ number, transactions }) =>
      transactions.filter((one) => one.hash === hash).map((transaction) => ({ number, transaction })),
    )[0]
    return mined ?? (pool.has(hash) ? { number: null, transaction: pool.get(hash) as Pooled } : null)
  }

  const answer = (method: string, params: readonly unknown[], lag: number): unknown => {
    const part = upTo(lag)
    switch (method) {
      case 'eth_getBlockByNumber':
        return { number: toHex(part.length - 1), baseFeePerGas: toHex(baseFee), gasLimit: toHex(20_000_000) }
      case 'eth_getTransactionCount':
        return toHex(countIn(part, (params[0] as Hex).toLowerCase() as Hex))
      case 'eth_maxPriorityFeePerGas':
        return toHex(gwei)
      case 'eth_getBalance':
        return toHex(10n ** 22n)
      case 'eth_call': {
        // nonceOf(address,uint256)
        const order = BigInt(`0x${(params[0] as { data: Hex }).data.slice(-64)}`)
        return hash32(landedIn(part).has(order) ? 1 : 0)
      }
      case 'eth_estimateGas': {
        const { data } = params[0] as { data: Hex }
        const nonce = tried.get(data) ?? triedNonce(data)
        tried.set(data, nonce)
        if (fates.get(nonce) === 'refused') refuse(method, 'execution reverted', refusal(nonce))
        return toHex(80_000)
      }
      case 'eth_sendRawTransaction': {
        const sent = decode(params[0] as Hex)
        if (known(sent.hash, blocks) !== null) refuse(method, 'already known')
        if (sent.nonce < countIn(blocks, sent.from)) refuse(method, 'nonce too low')
        const rival = [...pool.values()].find((one) => one.from === sent.from && one.nonce === sent.nonce)
        if (rival !== undefined) {
          if (sent.maxFee * 10n < rival.maxFee * 11n || sent.tip * 10n < rival.tip * 11n)
            refuse(method, 'replacement transaction underpriced')
          pool.delete(rival.hash)
        }
        pool.set(sent.hash, sent)
        return sent.hash
      }
      case 'eth_getTransactionByHash': {
        const found = known(params[0] as Hex, part)
        if (found === null) return null
        const {
          data,
          type: _,
          ...fields
        } = parseTransaction(found.transaction.raw) as Record<string, unknown>
        const hex = Object.entries(fields).map(([name, value]) => [
          name,
          typeof value === 'bigint' || typeof value === 'number' ? toHex(value) : value,
        ])
        const blockNumber = found.number === null ? null : toHex(found.number)
        return {
          ...Object.fromEntries(hex),
          input: data,
          type: '0x2',
          nonce: toHex(found.transaction.nonce),
          blockNumber,
        }
      }
      case 'eth_getTransactionReceipt': {
        const found = known(params[0] as Hex, part)
        if (found === null || found.number === null) return null
        const { orders, batch, hash } = found.transaction
        const landed = landedIn(blocks)
        const logs = orders.flatMap((order) => {
          if (fates.get(order) === 'good') {
            if (landed.get(order)?.transaction.hash !== hash) return []
            const topics = encodeEventTopics({
              abi: killSwitchAbi,
              eventName: 'OrderLanded',
              args: { authority: wallet, nonce: order },
            })
            return [
              {
                address: deployment.contract,
                topics,
                data: `0x${hash32(order).slice(2)}${hash32(1).slice(2)}`,
              },
            ]
          }
          const topics = encodeEventTopics({
            abi: killSwitchAbi,
            eventName: 'OrderRefused',
            args: { orderDigest: hash32(order) },
          })
          return [
            { address: deployment.contract, topics, data: `0x${hash32(32).slice(2)}${hash32(0).slice(2)}` },
          ]
        })
        const reverted = !batch && fates.get(orders[0] as bigint) !== 'good'
        return { status: reverted ? '0x0' : '0x1', logs: reverted ? [] : logs }
      }
      default:
        throw new Error(`the fake chain knows no ${method}`)
    }
  }

  return {
    answer,
    sign: (account: LocalAccount): LocalAccount => ({
      ...account,
      async signTransaction(transaction) {
        const raw = await account.signTransaction(transaction)
        senders.set(raw as Hex, account.address.toLowerCase() as Hex)
        return raw as Hex
      },
    }),
    landed: () => landedIn(blocks),
    pooled: () => [...pool.values()],
    minedWith: (order: bigint) =>
      blocks.flatMap(({ transactions }) => transactions).filter(({ orders }) => orders.includes(order))
        .length,
    mine(next: bigint, include: (transaction: Pooled) => boolean) {
      const transactions: Pooled[] = []
      for (let more = true; more; ) {
        more = false
        for (const one of [...pool.values()].sort((a, b) => a.nonce - b.nonce)) {
          const count = countIn([...blocks, { number: 0, transactions }], one.from)
          if (one.nonce < count) pool.delete(one.hash)
          if (one.nonce !== count || one.maxFee < baseFee || !include(one)) continue
          transactions.push(one)
          pool.delete(one.hash)
          more = true
        }
      }
      blocks.push({ number: blocks.length, transactions })
      baseFee = next
    },
    drop: (keep: (transaction: Pooled) => boolean) => {
      for (const one of pool.values()) if (!keep(one)) pool.delete(one.hash)
    },
    reorg(depth: number, back: (transaction: Pooled) => boolean) {
      const dropped = blocks
        .splice(Math.max(1, blocks.length - depth))
        .flatMap(({ transactions }) => transactions)
      for (const one of dropped) if (back(one)) pool.set(one.hash, one)
      for (let more = 0; more <= depth; more += 1) blocks.push({ number: blocks.length, transactions: [] })
    },
  }
}

function killOf(order: bigint, rank: Rank, at: number): KillRecord {
  const digest = hash32(order)
  const subject = hash32(BigInt(wallet))
  const message = {
    authority: wallet,
    scope: Scope.Owner,
    subject,
    reason: 1,
    text: '',
    issuedAt: '0',
    nonce: String(order),
  }
  return {
    ...{
      id: String(order),
      authority: wallet,
      scope: Scope.Owner,
      subject,
      rank,
      reason: 1,
      text: '',
      digest,
    },
    order: { digest, signature: '0x01', message: { ...message, deadline: String(1e9) } },
    seen: { at, monotonic: at },
    feed: { epoch: 'e', number: 1 },
    ...{ durable: null, published: null, sentTx: null, sendError: null, landing: null, onChain: null },
    ...{ orphaned: null, final: null, withdrawn: null },
  }
}

/** Two relayers with the same orders over nodes that fail, lag and drop, a chain that forks, and restarts. */
async function runHistory(seed: number): Promise<void> {
  const random = createRandom(seed)
  const chance = (p: number) => random() < p
  const fates = new Map<bigint, Fate>()
  const chain = createFakeChain(fates)
  let now = 1_000
  let calm = false
  const clock = { wall: () => now, monotonic: () => now }
  const unforeseen: unknown[] = []

  const rpcOf = (url: string): Rpc => ({
    url,
    async request(method, params) {
      if (!calm && chance(0.08)) throw new RpcUnavailableError(url, method, 'down')
      const answer = chain.answer(method, params, !calm && chance(0.15) ? 1 + Math.floor(random() * 2) : 0)
      // The answer may be lost though the question was not.
      if (!calm && chance(0.04)) throw new RpcUnavailableError(url, method, 'broken off')
      return answer
    },
    onHeads() {},
    onConnected() {},
    close() {},
  })

  const relayerOf = (key: number) => {
    const account = chain.sign(privateKeyToAccount(hash32(key)))
    const kills = new Map<string, KillRecord>()
    const rpcs = [rpcOf('http://one'), rpcOf('http://two'), rpcOf('http://three')]
    const pool: RpcPool = {
      rpcs,
      async request({ method, params, parse }) {
        let failure: unknown
        for (const rpc of rpcs) {
          try {
            return parse(await rpc.request(method, params))
          } catch (error) {
            if (error instanceof RpcResponseError && error.code === 3) throw error
            failure = error
          }
        }
        throw failure
      },
      close() {},
    }
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    const start = (): Lander =>
      createLander({
        sender: createSender({ pool, deployment, account, maxFee: 500n * gwei, clock, log }),
        registry: createRegistry(),
        kills: () => [...kills.values()].reverse(),
        kill: (id) => kills.get(id),
        async noteSent(id, sent) {
          const kill = kills.get(id) as KillRecord
          const changed =
            'txHash' in sent ? { sentTx: sent.txHash, sendError: null } : { sendError: sent.error }
          kills.set(id, { ...kill, ...changed })
        },
        gasBudget: 1_000,
        gasCeiling: 100_000,
        onError: (error) => unforeseen.push(error),
        clock,
      })
    let lander = start()
    return {
      kills,
      take(kill: KillRecord) {
        kills.set(kill.id, kill)
        lander.land(kill)
      },
      async restart() {
        await lander.stop()
        lander = start()
        lander.retry()
      },
      /** What the follower tells of the chain, and one round of landing. */
      async tick() {
        const landed = chain.landed()
        for (const kill of kills.values()) {
          const found = landed.get(BigInt(kill.id))
          if (found === undefined && kill.landing !== null) {
            const { blockNumber: height, txHash } = kill.landing
            const orphan = { ...kill, landing: null, orphaned: { height, txHash, at: kill.seen.at } }
            kills.set(kill.id, orphan)
            lander.land(orphan)
          } else if (found !== undefined && kill.landing?.txHash !== found.transaction.hash) {
            const { block, transaction } = found
            const landing = {
              blockNumber: block.number,
              blockHash: hash32(block.number),
              logIndex: 0,
              txHash: transaction.hash,
              sequence: 1,
            }
            kills.set(kill.id, { ...kill, landing, orphaned: null })
          }
        }
        lander.retry()
        await lander.idle()
      },
    }
  }
  const relayers = [relayerOf(1), relayerOf(2)]

  let next = 0n
  const order = (fate: Fate, rank: Rank): bigint => {
    next += 1n
    fates.set(next, fate)
    for (const relayer of relayers) if (calm || chance(0.8)) relayer.take(killOf(next, rank, now))
    return next
  }

  for (let round = 0; round < 40; round += 1) {
    now += 2_000
    if (chance(0.4)) {
      const fate = chance(0.15) ? 'refused' : chance(0.1) ? 'good until mined' : 'good'
      order(fate, (1 + Math.floor(random() * 4)) as Rank)
    }
    for (const relayer of relayers) {
      if (chance(0.03)) await relayer.restart()
      await relayer.tick()
    }
    if (chance(0.1)) chain.drop(() => chance(0.5))
    if (chance(0.5)) chain.mine(gwei * BigInt(1 + Math.floor(random() * 12)), () => chance(0.7))
    if (chance(0.08)) chain.reorg(1 + Math.floor(random() * 2), () => chance(0.5))
  }

  calm = true
  const emergency = order('good', Rank.Governance)
  const settled = () =>
    relayers.every(({ kills }) =>
      [...kills.values()].every(({ id, landing }) => fates.get(BigInt(id)) !== 'good' || landing !== null),
    )
  let emergencyRounds = 0
  for (let round = 0; round < 60 && !settled(); round += 1) {
    now += 12_000
    for (const relayer of relayers) await relayer.tick()
    chain.mine(2n * gwei, () => true)
    if (!chain.landed().has(emergency)) emergencyRounds += 1
  }
  expect(unforeseen).toEqual([])
  // Every order that can land has landed, whatever happened before.
  expect(settled()).toBe(true)
  // What one relayer's last nonces were in a fork may cost the emergency some rounds: 30 s of memory, then a new try.
  expect(emergencyRounds).toBeLessThanOrEqual(4)
  for (const [id, fate] of fates) {
    // One that its signer's wallet spoils is not paid for over and over; one refused beforehand never.
    if (fate === 'good until mined') expect(chain.minedWith(id)).toBeLessThanOrEqual(2 * 6)
    if (fate === 'refused') expect(chain.minedWith(id)).toBe(0)
  }
}

test(`${histories} histories from seed ${firstSeed}: all that can land lands, through forks, faults and restarts`, async () => {
  for (let seed = firstSeed; seed < firstSeed + histories; seed += 1) {
    try {
      await runHistory(seed)
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
  }
})
