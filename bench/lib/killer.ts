import { setTimeout as sleep } from 'node:timers/promises'
import type { Hex, PrivateKeyAccount } from 'viem'
import { Reason } from '../../protocol/reason.ts'
import { agentTarget, ownerTarget, type Target } from '../../protocol/scope.ts'
import type { FleetAgent } from '../../scripts/lib/fleet.ts'
import { monotonicNow } from '../../scripts/lib/monotonic.ts'
import type { RunningRelayer } from '../../scripts/lib/relayerProcess.ts'
import { callRelayer, postOrder, RelayerRefusedError } from '../../sdk/cli/relayer.ts'
import { createOrder, signOrder } from '../../sdk/cli/signOrder.ts'
import type { BareWorld } from './bareWorld.ts'
import { killCall, transactionSender } from './transactionKills.ts'

/** The part of `GET /kills` that is measured; durations in ms. */
export type KillTimes = {
  readonly id: string
  readonly scope: string
  readonly label: string
  readonly origin: 'block' | 'order'
  /** CLOCK_MONOTONIC, ms. */
  readonly seenMonotonic: number
  readonly elapsed: {
    readonly durable: number | null
    readonly published: number | null
    readonly allConfirmed: number | null
  }
}

/** Prepared beforehand, so that signing is not measured; resolves with the moment at which it was sent. */
export type PreparedKill = () => Promise<number>

const text = 'bench'
/** ms */
const pollPeriod = 1_000

/** What kills in the name of one wallet. */
export async function createKiller(world: BareWorld, relayer: RunningRelayer, account: PrivateKeyAccount) {
  const { chain, deployment } = world
  const prepare = await transactionSender(world, account)

  const orderFor = async (
    target: Target,
    subject: { readonly spiffeId: string } | { readonly wallet: Hex },
  ): Promise<PreparedKill> => {
    const now = Date.now() / 1000
    const { timestamp } = await chain.client.getBlock()
    const order = createOrder(account, target, Reason.Drill, text, now, Number(timestamp))
    const signature = await signOrder(account, deployment, order, now)
    return async () => {
      const at = monotonicNow()
      await postOrder(relayer.address.url, deployment, order, signature, subject)
      return at
    }
  }

  const transaction = async (data: Hex): Promise<PreparedKill> => {
    const send = await prepare(data)
    return async () => {
      const at = monotonicNow()
      await send()
      return at
    }
  }

  return {
    byOrder: (agent: FleetAgent) => orderFor(agentTarget(agent.uuid), { spiffeId: agent.spiffeId }),
    /** Transactions must be sent in the order in which they were prepared. */
    byTransaction: (agent: FleetAgent) => transaction(killCall(agent, text)),
    /** All agents of the wallet. */
    emergencyByOrder: () => orderFor(ownerTarget(account.address), { wallet: account.address }),
  }
}

/** Newest first. Asked again while the relayer serves kills only. */
export async function readKills(relayer: RunningRelayer, limit: number): Promise<readonly KillTimes[]> {
  for (;;) {
    try {
      const answer = await callRelayer(relayer.address.url, `/kills?limit=${limit}`)
      return (answer as { kills: readonly KillTimes[] }).kills
    } catch (error) {
      const shed = error instanceof RelayerRefusedError && [429, 503].includes(error.problem.status)
      if (!shed) throw error
      await sleep(pollPeriod)
    }
  }
}

/** The kills of these subjects, the latest there are, once every point has confirmed them, or as they are after `timeout` ms. */
export async function confirmedKills(
  relayer: RunningRelayer,
  labels: readonly string[],
  timeout = 30_000,
): Promise<readonly KillTimes[]> {
  const wanted = new Set(labels)
  for (const deadline = monotonicNow() + timeout; ; ) {
    // First the pause: what is still to be confirmed must not wait for this question.
    await sleep(pollPeriod)
    const kills = (await readKills(relayer, wanted.size)).filter(({ label }) => wanted.has(label))
    const done = kills.filter(({ elapsed }) => elapsed.allConfirmed !== null)
    if (done.length >= wanted.size || monotonicNow() > deadline) return kills
  }
}
