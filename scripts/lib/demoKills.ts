import { setTimeout as sleep } from 'node:timers/promises'
import { createWalletClient, type Hex, http, type PrivateKeyAccount } from 'viem'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { Reason } from '../../protocol/reason.ts'
import type { Target } from '../../protocol/scope.ts'
import { callRelayer, postOrder } from '../../sdk/cli/relayer.ts'
import { createOrder, signOrder } from '../../sdk/cli/signOrder.ts'
import type { DemoKill } from './judgeDemo.ts'
import type { LocalWorld } from './localWorld.ts'
import { SetupError } from './setupError.ts'

/** The part of `GET /kills/{id}` that the demo reads; durations in ms. */
type KillTimes = {
  readonly id: string
  readonly seenMonotonic: number
  readonly elapsed: { readonly durable: number | null; readonly allConfirmed: number | null }
}

const text = 'demo'
const pollPeriod = 50
/** How long a kill may take to appear, and to be confirmed, before the demo judges without it (ms). */
const sightTimeout = 10_000
const confirmTimeout = 5_000

/** The id of the kill that a transaction of the owner became; the chain mines every second. @throws {SetupError} */
export async function killByTransaction(
  world: LocalWorld,
  account: PrivateKeyAccount,
  { scope, subject }: Target,
): Promise<string> {
  const { chain, deployment, relayer } = world
  const txHash = await createWalletClient({
    account,
    chain: chain.client.chain,
    transport: http(chain.rpc),
  }).writeContract({
    address: deployment.contract,
    abi: killSwitchAbi,
    functionName: 'kill',
    args: [scope, subject, Reason.Drill, text],
  })
  for (let waited = 0; waited < sightTimeout; waited += pollPeriod) {
    const answer = await callRelayer(relayer.url, `/kills?transaction=${txHash}`)
    const [kill] = (answer as { readonly kills: readonly KillTimes[] }).kills
    if (kill !== undefined) return kill.id
    await sleep(pollPeriod)
  }
  throw new SetupError(`the relayer did not see transaction ${txHash} within ${sightTimeout / 1000} s`)
}

/** The id of the kill that an order became. */
export async function killByOrder(
  world: LocalWorld,
  account: PrivateKeyAccount,
  target: Target,
  subject: { readonly spiffeId: string } | { readonly wallet: Hex },
): Promise<string> {
  const { chain, deployment, relayer } = world
  const now = Date.now() / 1000
  // Set-up mines faster than the clock goes, so the chain's may be ahead of ours.
  const { timestamp } = await chain.client.getBlock()
  const order = createOrder(account, target, Reason.Drill, text, now, Number(timestamp))
  const signature = await signOrder(account, deployment, order, now)
  return (await postOrder(relayer.url, deployment, order, signature, subject)).killId
}

/** Waits until all points have confirmed a kill, or gives up: the judge sees what is missing. */
export async function waitForConfirmation(
  { relayer }: LocalWorld,
  killId: string,
  covered: readonly string[],
): Promise<DemoKill> {
  for (let waited = 0; ; waited += pollPeriod) {
    const { seenMonotonic, elapsed } = (await callRelayer(relayer.url, `/kills/${killId}`)) as KillTimes
    if (elapsed.allConfirmed !== null || waited >= confirmTimeout) {
      return {
        killId,
        covered,
        seenAt: seenMonotonic,
        durableAfter: elapsed.durable,
        confirmedAfter: elapsed.allConfirmed,
      }
    }
    await sleep(pollPeriod)
  }
}
