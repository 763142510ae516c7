import { generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto'
import { encodeFunctionData, keccak256, numberToHex, parseTransaction } from 'viem'
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import type { Deployment } from '../protocol/deployment.ts'
import { killSwitchAbi } from '../protocol/generated/killSwitchAbi.ts'
import type { Hex } from '../protocol/hex.ts'
import { type KillOrder, killOrderDigest } from '../protocol/order.ts'
import { Rank } from '../protocol/rank.ts'
import { createRegistry, type RegistryEvent } from '../protocol/registry.ts'
import { agentTarget } from '../protocol/scope.ts'
import { emptyAudit } from './audit/entry.ts'
import { type KilledEvent, proofOfKill } from './chain/follow/killProof.ts'
import { systemClock } from './clock.ts'
import { createBroadcaster } from './feed/broadcaster.ts'
import { noMessage } from './feed/position.ts'
import type { ChainBlock } from './kill/chainPort.ts'
import { createKillExecutor } from './kill/executor.ts'
import { createKillState } from './kill/killState.ts'
import { maySight } from './kill/maySight.ts'
import { openDatabase } from './store/database.ts'
import { isKillSettled } from './store/history.ts'
import { createJournal } from './store/journal.ts'

/** Kills by transaction and by order until the compiler has settled. */
const rounds = 40
const hour = 3_600
const reason = 1
const text = 'rehearsal'

/**
 * Takes throwaway kills down the whole road, over a store in memory, before the relayer takes real ones: the first kill
 * after a start would otherwise wait some 20 ms for the compiler and for secp256k1's tables.
 * @param verifySignature of orders, as the relayer's
 * @returns how many were published and durable
 */
export async function rehearseKills(
  deployment: Deployment,
  verifySignature: (authority: Hex, digest: Hex, signature: Hex) => Promise<boolean>,
): Promise<number> {
  const clock = systemClock
  const db = await openDatabase(':memory:')
  const owner = privateKeyToAccount(generatePrivateKey())
  const authority = owner.address.toLowerCase() as Hex
  const registry = createRegistry()
  const { privateKey } = generateKeyPairSync('ed25519')
  const feed = { relayer: 'rehearsal', deployment: 'rehearsal', epoch: 'rehearsal' }
  const signFeed = (bytes: Uint8Array) => sign(null, bytes, privateKey)
  const base = { feed, lastMessage: noMessage, sign: signFeed, clock }
  const journal = createJournal({ ...base, db, lastEntry: emptyAudit })
  let published = 0
  const executor = createKillExecutor({
    state: createKillState(registry, [], [], []),
    journal,
    epoch: feed.epoch,
    lastMessage: noMessage,
    verifySignature,
    clock,
    newId: randomUUID,
    svidHorizon: hour * 1_000,
    maxBlind: hour * 1_000,
    isSettled: (landing) => isKillSettled(db, landing),
    publish(messages) {
      published += messages.length
      broadcaster.publish(messages)
    },
  })
  const { chainView, rows } = executor
  const broadcaster = createBroadcaster({ ...base, chainView, rows })
  const now = () => Math.floor(clock.wall() / 1_000)

  let tip: ChainBlock | null = null
  const next = (events: readonly { readonly event: RegistryEvent; readonly txHash: Hex }[]): ChainBlock => {
    tip = {
      number: (tip?.number ?? 0) + 1,
      hash: randomHash(),
      parentHash: tip?.hash ?? randomHash(),
      time: now(),
      seenMonotonic: clock.monotonic(),
      events: events.map((event, logIndex) => ({ ...event, logIndex })),
    }
    return tip
  }

  try {
    const agents = Array.from({ length: 2 * rounds }, () => randomUUID())
    const registrations = next(
      agents.map((uuid, i) => ({
        txHash: randomHash(),
        event: {
          ...{ type: 'AgentRegistered', uuid, owner: authority, agentType: 'agent', key: randomHash() },
          sequence: i + 1,
        },
      })),
    )
    await executor.takeBlocks([registrations])
    await executor.advanceGrantPoint(registrations)
    for (let round = 0; round < rounds; round += 1) {
      const target = agentTarget(agents[2 * round] as string)
      const { txHash, transaction } = await killTransaction(owner, deployment, target, round)
      const event: KilledEvent = {
        ...{ type: 'Killed', ...target, authority, rank: Rank.Owner, reason, text, orderDigest: null },
        sequence: agents.length + round + 1,
      }
      const proof = proofOfKill(deployment, event, txHash, transaction)
      if (proof === null || !maySight(registry, event, proof.order, now())) continue
      const block = next([{ event, txHash }])
      await executor.takeKills(block)
      await executor.takeBlocks([block])

      const issuedAt = now()
      const order: KillOrder = {
        ...agentTarget(agents[2 * round + 1] as string),
        ...{ authority: owner.address, reason, text, nonce: BigInt(round) },
        issuedAt: BigInt(issuedAt),
        deadline: BigInt(issuedAt + hour),
      }
      const digest = killOrderDigest(deployment, order)
      await executor.takeOrder({ order, digest, signature: await owner.sign({ hash: digest }) })
    }
    return published
  } finally {
    broadcaster.close()
    await db.destroy()
  }
}

const randomHash = (): Hex => `0x${randomBytes(32).toString('hex')}`

/** A wallet's own kill, as a node gives it. */
async function killTransaction(
  owner: PrivateKeyAccount,
  { chainId, contract }: Deployment,
  { scope, subject }: ReturnType<typeof agentTarget>,
  nonce: number,
) {
  const data = encodeFunctionData({
    abi: killSwitchAbi,
    functionName: 'kill',
    args: [scope, subject, reason, text],
  })
  const fields = { chainId, nonce, to: contract, gas: 100_000n, maxFeePerGas: 2n, maxPriorityFeePerGas: 1n }
  const serialized = await owner.signTransaction({ type: 'eip1559', data, ...fields })
  const { r, s, yParity } = parseTransaction(serialized)
  return {
    txHash: keccak256(serialized),
    transaction: {
      ...{ type: '0x2', to: contract, input: data, value: '0x0', r, s, accessList: [] },
      ...{ chainId: numberToHex(chainId), nonce: numberToHex(nonce), gas: numberToHex(fields.gas) },
      yParity: numberToHex(yParity ?? 0),
      maxFeePerGas: numberToHex(fields.maxFeePerGas),
      maxPriorityFeePerGas: numberToHex(fields.maxPriorityFeePerGas),
    },
  }
}
