import type { ChainView } from '../../protocol/feed/message.ts'
import type { Hex } from '../../protocol/hex.ts'
import { PolicyGapError } from '../../protocol/policy/policies.ts'
import type { Clock } from '../clock.ts'
import {
  emptyMirror,
  grantPolicies,
  type PolicyBlock,
  type PolicyMirror,
  takePolicies,
} from '../policy/mirror.ts'
import { type Schedule, systemSchedule } from '../schedule.ts'
import type { ChainLog } from './chainLog.ts'
import { afterAnswer, afterRefusal, firstRange } from './follow/rangeSize.ts'
import { createPolicyRangeReader, type EventBlock, type PolicyRange } from './policyRange.ts'
import type { Rpc } from './rpc/rpc.ts'
import { InconsistentRpcError, RpcResponseError, RpcUnavailableError } from './rpc/rpcErrors.ts'
import { createRpcPool } from './rpc/rpcPool.ts'

export type PolicyReader = {
  /**
   * Reads on to the grant point and the head that the relayer has; at once where it is reading already. What fails leaves the
   * mirror as it was, and is tried again with the next call.
   */
  read(): Promise<void>
  mirror(): PolicyMirror
  /** How far the mirror goes; null before the first reading. */
  standing(): PolicyStanding | null
  /** Why the mirror may be old: the last reading failed, or the relayer is blind. Null while all is well. */
  failure(): Error | null
  close(): void
}

/** How far policies were read. */
export type PolicyStanding = {
  /** The last block that was. */
  readonly readTo: PolicyBlock
  /** The last one that is granted; null while the grant point is below the first block that is read. */
  readonly grantedTo: PolicyBlock | null
}

/** Nothing says what was decided since: without a new head there is nothing to read. */
export class PoliciesUnseenError extends Error {
  override readonly name = 'PoliciesUnseenError'
  readonly standing: PolicyStanding | null
  constructor(standing: PolicyStanding | null) {
    const since = standing === null ? '' : ` after ${standing.readTo.number}`
    super(
      `the relayer has seen no new block${since} for too long, so what was decided since is unknown; check its RPCs`,
    )
    this.standing = standing
  }
}

/** ms. All events are read anew at most that often: an RPC that has lost some for good is not asked without end. */
const anewInterval = 600_000

/**
 * Mirrors a KillPolicies contract. What is granted is read once and kept; what lies between the grant point and the head is
 * read anew each time, so that a reorg needs no undoing. All of it is what a majority of the RPCs tells alike. Events that
 * turn out to be missing have all of them read anew; what was known holds meanwhile.
 */
export function createPolicyReader(options: {
  readonly rpcs: readonly string[]
  readonly chainId: number
  /** The KillPolicies contract. */
  readonly contract: Hex
  /** The block of its deployment, or any earlier one. */
  readonly startBlock: number
  /** Where the relayer itself stands. */
  readonly view: () => ChainView
  readonly clock: Clock
  readonly log: ChainLog
  readonly schedule?: Schedule
  /** Opens a connection to an RPC; by its address's scheme unless given. */
  readonly connect?: (url: string) => Rpc
}): PolicyReader {
  const { contract, view, clock, log } = options
  const schedule = options.schedule ?? systemSchedule
  const pool = createRpcPool({ ...options, schedule, random: Math.random })
  const rangeOf = createPolicyRangeReader(pool.rpcs, contract, schedule, log)
  let granted = emptyMirror
  let seen = emptyMirror
  let standing: PolicyStanding | null = null
  /** Up to where `granted` goes, as a number and, once there is one, as a block. */
  let upTo = options.startBlock - 1
  let grantedTo: PolicyBlock | null = null
  let size = firstRange
  /** Monotonic ms from which on a gap has all events read anew; infinite while they are. */
  let anewFrom = Number.NEGATIVE_INFINITY
  /** What was still missing after that: nothing is asked until then. */
  let gap: PolicyGapError | null = null
  let failure: Error | null = null
  let reading: Promise<void> | null = null

  const taken = (mirror: PolicyMirror, blocks: readonly EventBlock[]): PolicyMirror =>
    blocks.reduce((before, { block, events }) => takePolicies(before, block, events), mirror)

  async function readOn(): Promise<void> {
    const { head, grantPoint } = view()
    if (grantPoint === null) return
    while (upTo < grantPoint.number) {
      const last = Math.min(grantPoint.number, upTo + size.blocks)
      let range: PolicyRange
      try {
        range = await rangeOf(upTo + 1, last)
      } catch (error) {
        // Limits of ranges come as errors of every code.
        const mayBeTooLarge = error instanceof RpcResponseError || error instanceof RpcUnavailableError
        if (!mayBeTooLarge || last === upTo + 1) throw error
        size = afterRefusal({ ...size, blocks: last - upTo })
        continue
      }
      // What is granted is kept for good, so it must be of the relayer's own chain.
      if (last === grantPoint.number && range.end.hash !== grantPoint.hash)
        throw new InconsistentRpcError(`block ${last} is not the grant point`, range.end)
      granted = grantPolicies(taken(granted, range.blocks), last)
      upTo = last
      grantedTo = range.end
      size = afterAnswer(size)
    }
    const later = head !== null && head.number > upTo ? await rangeOf(upTo + 1, head.number) : null
    seen = later === null ? granted : taken(granted, later.blocks)
    const readTo = later?.end ?? grantedTo
    standing = readTo === null ? null : { readTo, grantedTo }
  }

  async function readOnOrAnew(): Promise<void> {
    if (gap !== null && clock.monotonic() < anewFrom) throw gap
    gap = null
    for (;;) {
      try {
        await readOn()
        if (anewFrom === Number.POSITIVE_INFINITY) anewFrom = clock.monotonic() + anewInterval
        return
      } catch (error) {
        if (!(error instanceof PolicyGapError)) throw error
        if (clock.monotonic() < anewFrom) {
          gap = error
          anewFrom = clock.monotonic() + anewInterval
          throw error
        }
        anewFrom = Number.POSITIVE_INFINITY
        fail(error)
        granted = emptyMirror
        upTo = options.startBlock - 1
        grantedTo = null
      }
    }
  }

  const fail = (error: unknown) => {
    if (failure === null) log.error({ err: error, contract }, 'kill policies cannot be read')
    failure = error as Error
  }

  return {
    read() {
      reading ??= readOnOrAnew()
        .then(() => {
          if (failure !== null) log.info({ contract }, 'kill policies are read again')
          failure = null
        }, fail)
        .finally(() => {
          reading = null
        })
      return reading
    },
    mirror: () => seen,
    standing: () => standing,
    failure: () => failure ?? (view().blind ? new PoliciesUnseenError(standing) : null),
    close: pool.close,
  }
}
