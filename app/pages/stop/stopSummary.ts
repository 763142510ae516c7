import type { StopRun } from '../../data/stopper.ts'
import { count, duration } from '../../format.ts'

/** Where a stop stands, in one line and one sentence. */
export function stopSummary(run: StopRun): {
  readonly title: string
  readonly detail: string
  /** Signal red means killed or killing, and nothing else. */
  readonly tone: 'calm' | 'mark' | 'kill'
  readonly isDone: boolean
} {
  const points = run.kill?.points ?? []
  const confirmed = points.filter(
    ({ state }) => state === 'confirmed' || state === 'closed by staleness',
  ).length
  const all = run.kill?.elapsed.allConfirmed ?? null
  if (run.step === 'failed') {
    // Whether an order that was sent has arrived, nobody knows until the relayer tells.
    const isOpen = run.failure?.kind === 'relayer down' || run.failure?.kind === 'not durable'
    const title = `${isOpen ? 'Not confirmed' : 'Not stopped'}: ${run.label}`
    return { title, detail: run.failure?.title ?? '', tone: 'mark', isDone: false }
  }
  if (run.kill?.state === 'withdrawn')
    return {
      title: `Not stopped any more: ${run.label}`,
      detail: 'The chain dropped this stop, or its order became void. Stop it again.',
      tone: 'mark',
      isDone: true,
    }
  if (run.step === 'wallet')
    return {
      title: `Waiting for your wallet: ${run.label}`,
      detail:
        run.way === 'signature'
          ? 'Sign the order in your wallet.'
          : 'Confirm the transaction in your wallet.',
      tone: 'calm',
      isDone: false,
    }
  if (all !== null)
    return {
      title: `Stopped: ${run.label}`,
      detail: `Confirmed by ${points.length === 1 ? 'the one enforcement point' : `all ${points.length} enforcement points`} ${duration(all)} after the relayer saw it.`,
      tone: 'kill',
      isDone: true,
    }
  if (run.kill !== null && points.length === 0)
    return {
      title: `Stopped: ${run.label}`,
      detail: 'The relayer knows no enforcement point that could confirm it.',
      tone: 'kill',
      isDone: true,
    }
  if (run.kill !== null)
    return {
      title: `Stopping: ${run.label}`,
      detail: `${confirmed} of ${count(points.length, 'enforcement point')} confirmed.`,
      tone: 'kill',
      isDone: false,
    }
  return {
    title: `Stopping: ${run.label}`,
    detail:
      run.way === 'signature'
        ? 'The order is on its way to the relayer.'
        : run.block === null
          ? 'The transaction is sent; it takes effect with its block.'
          : `On chain in block ${run.block}. The relayer has not told of it yet.`,
    tone: 'kill',
    isDone: false,
  }
}
