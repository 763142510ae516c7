import type { Schedule } from '../../schedule.ts'
import type { ChainLog } from '../chainLog.ts'
import type { Rpc } from './rpc.ts'
import { InconsistentRpcError, isRevert, rpcLabel, WrongChainError } from './rpcErrors.ts'
import type { RpcCall } from './rpcPool.ts'

/** How many of `count` RPCs are a majority, of those configured rather than of those that answer. */
export const majorityOf = (count: number): number => Math.floor(count / 2) + 1

/** What is asked of the majority. */
export type AgreedCall<T> = RpcCall<T> & {
  /** Equal for answers that say the same. */
  readonly key: (answer: T) => string
  /** One answer of those that say the same, where they may differ in what `key` leaves out; the last unless given. */
  readonly merge?: (answers: readonly T[]) => T
}

/**
 * The failure that `needed` RPCs report alike; else one that says nothing for good, as what one RPC says of the chain
 * is no more than its word. Null without failures.
 */
export function commonFailure(
  failures: readonly Error[],
  needed: number,
  isFatal: (error: Error) => boolean,
): Error | null {
  const alike = failures.find(
    (error) => failures.filter((other) => other.constructor === error.constructor).length >= needed,
  )
  return alike ?? failures.findLast((error) => !isFatal(error)) ?? null
}

export type Agree = <T>(call: AgreedCall<T>) => Promise<T>

/** How long RPCs have to answer before another is asked as well, in ms; a range of logs takes its time. */
const hedgeDelay = 250

/**
 * Asks RPCs until a majority of those configured gives the same answer: as many as are needed at once, others as soon
 * as one fails, contradicts or is slow. An RPC that did so is asked last the next time.
 * @returns `agree`, which rejects once no majority is possible: with what a majority failed of, else the last failure
 * other than WrongChainError, else InconsistentRpcError
 */
export function createAgreement(rpcs: readonly Rpc[], schedule: Schedule, log: ChainLog): Agree {
  const needed = majorityOf(rpcs.length)
  let order = [...rpcs]
  const putLast = (rpc: Rpc) => {
    order = [...order.filter((one) => one !== rpc), rpc]
  }

  return <T>({ method, params, parse, key, merge, timeout }: AgreedCall<T>) =>
    new Promise<T>((resolve, reject) => {
      const left = [...order]
      const votes = new Map<string, { readonly rpc: Rpc; readonly answer: T }[]>()
      let pending = 0
      let settled = false
      const failures: Error[] = []
      let cancel = () => {}

      const count = (rpc: Rpc, answer: T) => {
        // With one RPC there is nothing to compare, and the answer may be large.
        const said = needed === 1 ? '' : key(answer)
        const voters = [...(votes.get(said) ?? []), { rpc, answer }]
        votes.set(said, voters)
        if (voters.length < needed || settled) return
        settled = true
        cancel()
        for (const [other, liars] of votes) if (other !== said) for (const liar of liars) putLast(liar.rpc)
        resolve(merge === undefined ? answer : merge(voters.map((voter) => voter.answer)))
      }
      const ask = async (rpc: Rpc) => {
        pending += 1
        try {
          count(rpc, parse(await rpc.request(method, params, timeout)))
        } catch (error) {
          failures.push(error as Error)
          // A revert is the chain's answer rather than the RPC's failure.
          if (!isRevert(error)) putLast(rpc)
          log.debug({ rpc: rpcLabel(rpc.url), method, error }, 'RPC failed, asking the next')
        }
        pending -= 1
        goOn()
      }
      const hedge = () => {
        const next = left.shift()
        if (next === undefined) return
        cancel = schedule(hedgeDelay, hedge)
        void ask(next)
      }
      const goOn = () => {
        if (settled) return
        const best = Math.max(0, ...[...votes.values()].map((voters) => voters.length))
        while (pending < needed - best) {
          const next = left.shift()
          if (next === undefined) break
          void ask(next)
        }
        if (pending > 0) return
        settled = true
        cancel()
        reject(
          commonFailure(failures, needed, (error) => error instanceof WrongChainError) ??
            new InconsistentRpcError(`no ${needed} of ${rpcs.length} RPCs agree on ${method}`, params),
        )
      }
      if (left.length > needed) cancel = schedule(hedgeDelay, hedge)
      goOn()
    })
}
