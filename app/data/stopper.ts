import type { Deployment } from '../../protocol/deployment.ts'
import type { Hex } from '../../protocol/hex.ts'
import { type KillOrder, killOrderDigest } from '../../protocol/order.ts'
import { Scope, type Target } from '../../protocol/scope.ts'
import type { KillsFollower } from '../api/killsFollower.ts'
import type { Kill, RelayerApi } from '../api/relayerApi.ts'
import type { ContractWrites } from '../chain/contractWrites.ts'
import { createKillOrder } from '../chain/killOrder.ts'
import { TransactionFailedError, TransactionReplacedError } from '../chain/writeErrors.ts'
import { type PlainError, plainError } from '../plainError.ts'
import { createStore, type Store } from '../store.ts'
import type { WalletPort } from '../wallet/walletPort.ts'

export type StopWay = 'signature' | 'transaction'

/** What the owner asked to stop. */
export type StopWish = {
  readonly account: Hex
  readonly target: Target
  /** Of the one agent; null for a wallet. */
  readonly spiffeId: string | null
  /** What it is called on the page. */
  readonly label: string
  /** How many agents it stops now. */
  readonly agents: number
  readonly reason: number
  readonly text: string
  readonly way: StopWay
}

/** A stop from the gesture to the last confirmation. Durations in ms since the gesture, by this page's monotonic clock. */
export type StopRun = StopWish & {
  readonly number: number
  readonly step: 'wallet' | 'sending' | 'landing' | 'followed' | 'failed'
  readonly digest: Hex | null
  readonly txHash: Hex | null
  readonly killId: string | null
  /** The kill as the relayer tells it; null before it has seen it. */
  readonly kill: Kill | null
  readonly block: bigint | null
  readonly signedAfter: number | null
  readonly takenAfter: number | null
  readonly confirmedAfter: number | null
  readonly failure: PlainError | null
}

export type Stopper = {
  /** The latest stop; null before the first. */
  readonly run: Store<StopRun | null>
  start(wish: StopWish): void
  /** Sends the order that was signed already once more: the same order is answered with its earlier record. */
  sendAgain(): void
  dismiss(): void
}

/** ms between questions for the kill's timeline, while confirmations are due and after. */
const briskly = 150
const calmly = 2_000
/** How long confirmations are asked for briskly, in ms. */
const brisk = 20_000

type SignedRun = { readonly number: number; readonly order: KillOrder; readonly signature: Hex }

export function createStopper(options: {
  readonly deployment: Deployment
  readonly api: Pick<RelayerApi, 'sendOrder'>
  readonly kills: KillsFollower
  readonly writes: ContractWrites
  readonly wallet: Pick<WalletPort, 'goToChain' | 'signOrder'>
  /** Unix seconds of the chain's head, where it is known. */
  readonly blockTime: () => number | null
  readonly onLanded: () => void
  readonly now: () => number
  readonly monotonic: () => number
}): Stopper {
  const { deployment, api, kills, writes, wallet, blockTime, onLanded, now, monotonic } = options
  const run = createStore<StopRun | null>(null)
  let number = 0
  let gesture = 0
  /** The order of the run with this number: what another run signs is never sent in its place. */
  let signed: SignedRun | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  const since = (): number => monotonic() - gesture
  /** Changes the run, unless another one has taken its place meanwhile. */
  const change = (mine: number, part: Partial<StopRun>): void => {
    const current = run.get()
    if (current !== null && current.number === mine) run.set({ ...current, ...part })
  }
  const fail = (mine: number, error: unknown): void => {
    // A kill that is followed has happened, whatever fails afterwards.
    if (run.get()?.kill != null) return
    change(mine, { step: 'failed', failure: plainError(error) })
    // The relayer may have taken the order although its answer was lost, or was that its disk is full.
    if (signed?.number === mine) void kills.refresh()
  }

  /** Takes over what the relayer has told of the kill, also of one that seemed to fail. @returns whether that was all */
  const look = (): boolean => {
    const current = run.get()
    if (current === null) return true
    const { killId, digest, txHash } = current
    const kill = kills.view
      .get()
      .kills.find(
        (one) =>
          one.id === killId ||
          (digest !== null && one.digest === digest) ||
          (txHash !== null && one.timeline.txHash === txHash),
      )
    if (kill === undefined) return current.step === 'failed'
    const isConfirmed = kill.elapsed.allConfirmed !== null
    if (kill !== current.kill)
      change(current.number, {
        kill,
        killId: kill.id,
        step: 'followed',
        failure: null,
        takenAfter: current.takenAfter ?? since(),
        confirmedAfter: current.confirmedAfter ?? (isConfirmed ? since() : null),
      })
    return kill.state === 'final' && isConfirmed
  }
  // The stream tells of each confirmation at once; the questions below are for when it is broken.
  kills.view.subscribe(look)

  const follow = (mine: number): void => {
    // One that another took the place of touches nothing of it.
    if (run.get()?.number !== mine) return
    clearTimeout(timer)
    if (look()) return
    const { kill = null, killId = null } = run.get() ?? {}
    const isBrisk = (kill === null || kill.elapsed.allConfirmed === null) && since() < brisk
    void kills.refresh(kill?.id ?? killId ?? undefined).finally(() => {
      if (run.get()?.number === mine) timer = setTimeout(() => follow(mine), isBrisk ? briskly : calmly)
    })
  }

  const deliver = async (
    { number: mine, order, signature }: SignedRun,
    spiffeId: string | null,
  ): Promise<void> => {
    change(mine, { step: 'sending', failure: null })
    const killId = await api.sendOrder(order, signature, spiffeId)
    change(mine, { killId, step: 'followed', takenAfter: since() })
    follow(mine)
  }

  const bySignature = async (mine: number, wish: StopWish): Promise<void> => {
    const order = createKillOrder(
      wish.account,
      wish.target,
      wish.reason,
      wish.text,
      now() / 1000,
      blockTime(),
    )
    change(mine, { digest: killOrderDigest(deployment, order) })
    const signature = await wallet.signOrder(order)
    const mineSigned = { number: mine, order, signature }
    if (run.get()?.number === mine) signed = mineSigned
    change(mine, { signedAfter: since() })
    await deliver(mineSigned, wish.spiffeId)
  }

  const byTransaction = async (mine: number, wish: StopWish): Promise<void> => {
    const { scope, subject } = wish.target
    const txHash =
      scope === Scope.Owner
        ? await writes.send(wish.account, 'emergencyKill', [`0x${subject.slice(26)}`, wish.reason, wish.text])
        : await writes.send(wish.account, 'kill', [scope, subject, wish.reason, wish.text])
    change(mine, { txHash, step: 'landing', signedAfter: since() })
    follow(mine)
    try {
      change(mine, await writes.landed(txHash))
      onLanded()
    } catch (error) {
      // What is sent may land whether or not this page's node says so; the relayer tells, too.
      if (error instanceof TransactionFailedError || error instanceof TransactionReplacedError) throw error
    }
  }

  return {
    run,
    start(wish) {
      const mine = ++number
      gesture = monotonic()
      signed = null
      clearTimeout(timer)
      run.set({
        ...wish,
        number: mine,
        step: 'wallet',
        digest: null,
        txHash: null,
        killId: null,
        kill: null,
        block: null,
        signedAfter: null,
        takenAfter: null,
        confirmedAfter: null,
        failure: null,
      })
      const go = wish.way === 'signature' ? bySignature : byTransaction
      wallet
        .goToChain()
        .then(() => go(mine, wish))
        .catch((error: unknown) => fail(mine, error))
    },
    sendAgain() {
      const current = run.get()
      if (current !== null && signed?.number === current.number)
        deliver(signed, current.spiffeId).catch((error) => fail(current.number, error))
    },
    dismiss() {
      clearTimeout(timer)
      run.set(null)
    },
  }
}
