import type { Clock } from '../../clock.ts'
import type { Schedule } from '../../schedule.ts'
import type { ChainLog } from '../chainLog.ts'
import type { Rpc } from '../rpc/rpc.ts'
import { parseHeader, type RpcHeader } from '../rpc/rpcBlock.ts'
import { rpcLabel } from '../rpc/rpcErrors.ts'

/** A head that an RPC reports. */
export type Announcement = {
  readonly header: RpcHeader
  readonly rpc: Rpc
  /** Monotonic ms at which it arrived. */
  readonly seenMonotonic: number
}

export type HeadSource = {
  /** Forgets the last head, so that it is reported again, and polls within `ms`. */
  again(ms: number): void
  /** Another RPC has a new head: polls at once, and in short intervals until this one has a new head too. */
  nudge(): void
  /** Why the last poll failed; null if it did not. */
  failure(): Error | null
  stop(): void
}

/** First interval between polls after a nudge, in ms; it doubles up to the usual one. */
const nudgeInterval = 25

/**
 * Follows one RPC's head: by its announcements where it makes them, and always by polling, which also notices what an
 * announcement has missed.
 *
 * Invariant: a head is reported when it differs from the one that this RPC reported last.
 * @param pollInterval ms
 */
export function createHeadSource(
  rpc: Rpc,
  options: {
    readonly pollInterval: number
    readonly clock: Clock
    readonly schedule: Schedule
    readonly log: ChainLog
    readonly announce: (announcement: Announcement) => void
    /** A poll has failed. */
    readonly onFailure?: () => void
  },
): HeadSource {
  const { pollInterval, clock, schedule, log, announce } = options
  let last: string | null = null
  let polling = false
  let subscribed = false
  let stopped = false
  let failures = 0
  let announcements = 0
  let failure: Error | null = null
  /** The next interval of a nudge; null when none is going on. */
  let hurry: number | null = null
  let cancel = () => {}

  const report = (header: RpcHeader, seenMonotonic: number) => {
    if (stopped || header.hash === last) return
    last = header.hash
    hurry = null
    announce({ header, rpc, seenMonotonic })
  }

  const announced = (header: RpcHeader, seenMonotonic: number) => {
    announcements += 1
    failure = null
    report(header, seenMonotonic)
    if (polling || stopped) return
    // While heads are announced in time nothing is asked: on one connection, polls and logs wait for each other.
    cancel()
    cancel = schedule(pollInterval, poll)
  }

  const nextInterval = (): number => {
    if (hurry === null || hurry >= pollInterval) return pollInterval
    const interval = hurry
    hurry *= 2
    return interval
  }

  const poll = async () => {
    if (polling || stopped) return
    polling = true
    cancel()
    const before = announcements
    try {
      const header = parseHeader(await rpc.request('eth_getBlockByNumber', ['latest', false]))
      // What was announced meanwhile is newer than this answer, which may name a block that it has replaced.
      if (announcements === before) report(header, clock.monotonic())
      // Only now: the first answer has shown that the RPC serves the right chain.
      if (!subscribed && !stopped) rpc.onHeads(announced)
      subscribed = true
      if (failures > 0) log.info({ rpc: rpcLabel(rpc.url), failures }, 'RPC answers again')
      failures = 0
      failure = null
    } catch (error) {
      failures += 1
      failure = error as Error
      hurry = null
      if (failures === 1 && !stopped)
        log.warn({ rpc: rpcLabel(rpc.url), error }, 'RPC does not give its head')
      if (!stopped) options.onFailure?.()
    } finally {
      polling = false
      if (!stopped) cancel = schedule(nextInterval(), poll)
    }
  }

  rpc.onConnected(() => void poll())
  void poll()

  return {
    again(ms) {
      last = null
      if (stopped || polling) return
      cancel()
      cancel = schedule(Math.min(pollInterval, ms), poll)
    },
    nudge() {
      // Where heads are announced, its own announcement is under way.
      if (stopped || announcements > 0) return
      hurry = nudgeInterval
      if (!polling) void poll()
    },
    failure: () => failure,
    stop() {
      stopped = true
      cancel()
    },
  }
}
