import { randomBytes } from 'node:crypto'
import { toBase64Url } from '../../protocol/bytes.ts'
import type { Clock } from '../clock.ts'
import type { RandomBytes } from './signingAuthority.ts'

/** Challenges that agents answer to prove possession of their key; kept in memory, so a restart voids them. */
export type Challenges = {
  /** A new challenge: 32 random bytes, base64url. `expiresAt` is the wall clock's, in ms. */
  readonly issue: () => { readonly challenge: string; readonly expiresAt: number }
  /**
   * Uses a challenge up, whatever comes of it.
   * @throws {UnknownChallengeError} or ExpiredChallengeError
   */
  readonly take: (challenge: string) => void
  readonly size: () => number
}

export class UnknownChallengeError extends Error {
  override readonly name = 'UnknownChallengeError'
  readonly challenge: string
  constructor(challenge: string) {
    super(
      `challenge "${challenge.slice(0, 64)}" is unknown or used already; ask POST /agents/challenges for a new one`,
    )
    this.challenge = challenge
  }
}

export class ExpiredChallengeError extends Error {
  override readonly name = 'ExpiredChallengeError'
  readonly challenge: string
  /** ms since it expired */
  readonly late: number
  constructor(challenge: string, late: number) {
    super(
      `challenge "${challenge}" expired ${Math.ceil(late)} ms ago; ask POST /agents/challenges for a new one`,
    )
    this.challenge = challenge
    this.late = late
  }
}

/** ms that a challenge is valid (docs/protocol.md, Identities). */
export const challengeLifetime = 60_000

/** About 10 MB. With more outstanding, the oldest are dropped: their agents ask again. */
const defaultLimit = 50_000

/** @param limit how many challenges are kept; the oldest give way */
export function createChallenges(options: {
  readonly clock: Clock
  readonly random?: RandomBytes
  readonly limit?: number
}): Challenges {
  const { clock, random = randomBytes, limit = defaultLimit } = options
  // In order of issue, which is order of expiry. Monotonic: setting the wall clock back must not revive one.
  const deadlines = new Map<string, number>()

  return {
    issue: () => {
      const challenge = toBase64Url(random(32))
      deadlines.set(challenge, clock.monotonic() + challengeLifetime)
      for (const [oldest, deadline] of deadlines) {
        // Expired ones stay for another lifetime, so that a late agent is told why.
        if (deadlines.size <= limit && clock.monotonic() < deadline + challengeLifetime) break
        deadlines.delete(oldest)
      }
      return { challenge, expiresAt: clock.wall() + challengeLifetime }
    },
    take: (challenge) => {
      const deadline = deadlines.get(challenge)
      if (deadline === undefined) throw new UnknownChallengeError(challenge)
      deadlines.delete(challenge)
      const late = clock.monotonic() - deadline
      if (late >= 0) throw new ExpiredChallengeError(challenge, late)
    },
    size: () => deadlines.size,
  }
}
