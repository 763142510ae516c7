import type { Hex } from '../../protocol/hex.ts'
import { isKilled } from '../../protocol/liveness.ts'
import { type Agent, type Registry, stateIn } from '../../protocol/registry.ts'

/** The place that an agent has in its owner's quota, from its first SVID here on. */
export type Place = { readonly uuid: string; readonly owner: Hex }

/** A place for an agent, until its SVID is durable or has failed. */
export type PlaceTaken = {
  /** The killed agent whose place it is now; null if there was room. */
  readonly displaced: string | null
  /** The SVID is durable. */
  keep(): void
  /** There is no SVID: the place is as it was before. */
  giveBack(): void
}

export type Places = {
  /** Whether the agent has a place of its present owner, so that no quota is asked. */
  holds(agent: Pick<Agent, 'uuid' | 'owner'>): boolean
  /**
   * Takes a place at once, so that two cannot take the last one. Null for an agent that needs none: it has one, durably.
   * @param quota how many agents the owner may enrol; null if that is not known or not asked
   * @throws {QuotaFilledError}
   */
  take(agent: Pick<Agent, 'uuid' | 'owner'>, quota: number | null): PlaceTaken | null
  /** How often a quota was found filled. */
  refused(): number
}

/** The owner's living agents have all the places that its quota gives. */
export class QuotaFilledError extends Error {
  override readonly name = 'QuotaFilledError'
  readonly owner: Hex
  readonly quota: number
  readonly used: number
  constructor(owner: Hex, quota: number, used: number) {
    super(
      `${owner} may enrol ${quota} agents and has ${used} enrolled here; subscribe to a plan with a larger quota, or kill another of its agents, whose place is free once that kill is final`,
    )
    this.owner = owner
    this.quota = quota
    this.used = used
  }
}

/**
 * Who has a place in whose quota. Invariants:
 * 1. An enrolment that a quota was asked for never makes more places of an owner than the quota, or than there were.
 * 2. A place stays with its agent: through renewals, kills and resumes, and when the quota shrinks. So neither a quota nor
 *    a kill by somebody else keeps a fleet from coming back.
 * 3. Only another agent of the same owner takes it, from an agent that is killed at the grant point (its SVIDs are dead for
 *    good, a kill that can still be withdrawn frees nothing) or that has another owner now. The displaced one needs a place
 *    anew after its resume: kill and resume in turn give no more living agents than places.
 */
export function createPlaces(options: {
  readonly registry: Registry
  /** Those that are durable, in the order in which they were taken. */
  readonly taken: readonly Place[]
}): Places {
  const { registry } = options
  const byOwner = new Map<Hex, Set<string>>()
  const ownerOf = new Map<string, Hex>()
  const pending = new Map<string, PlaceTaken>()
  /** What counting a full owner gave, until anything that it depends on moves: a flood must not have it counted each time. */
  const counted = new Map<
    Hex,
    { readonly sequence: number; readonly living: number; readonly free?: string }
  >()
  let refused = 0

  const remove = (uuid: string): void => {
    const owner = ownerOf.get(uuid)
    if (owner === undefined) return
    counted.delete(owner)
    ownerOf.delete(uuid)
    const left = byOwner.get(owner)
    left?.delete(uuid)
    if (left?.size === 0) byOwner.delete(owner)
  }
  const put = ({ uuid, owner }: Place): void => {
    remove(uuid)
    counted.delete(owner)
    ownerOf.set(uuid, owner)
    const had = byOwner.get(owner)
    if (had === undefined) byOwner.set(owner, new Set([uuid]))
    else had.add(uuid)
  }
  for (const place of options.taken) put(place)

  const isLiving = (uuid: string, owner: Hex): boolean => {
    const agent = registry.agents.get(uuid)
    return agent !== undefined && agent.owner === owner && !isKilled(agent, stateIn(registry))
  }
  const count = (owner: Hex, of: ReadonlySet<string>) => {
    const had = counted.get(owner)
    // Whoever is killed, resumed or given away moves the sequence.
    if (had?.sequence === registry.sequence) return had
    let living = 0
    let free: string | undefined
    for (const uuid of of)
      if (isLiving(uuid, owner)) living += 1
      else free ??= uuid
    const found = { sequence: registry.sequence, living, ...(free === undefined ? {} : { free }) }
    counted.set(owner, found)
    return found
  }

  /** @returns whose place is taken; null where there is room @throws {QuotaFilledError} */
  const roomFor = (owner: Hex, quota: number | null): string | null => {
    const of = byOwner.get(owner)
    if (quota === null || (of?.size ?? 0) < quota) return null
    const { living, free } = count(owner, of ?? new Set())
    if (living < quota && free !== undefined) return free
    refused += 1
    throw new QuotaFilledError(owner, quota, living)
  }

  const holds: Places['holds'] = ({ uuid, owner }) => ownerOf.get(uuid) === owner

  return {
    holds,
    refused: () => refused,
    take({ uuid, owner }, quota) {
      if (holds({ uuid, owner })) return pending.get(uuid) ?? null
      const displaced = roomFor(owner, quota)
      const former = ownerOf.get(uuid)
      if (displaced !== null) remove(displaced)
      put({ uuid, owner })
      const taken: PlaceTaken = {
        displaced,
        keep() {
          if (pending.get(uuid) === taken) pending.delete(uuid)
          if (holds({ uuid, owner })) return
          // Two SVIDs of one agent were under way, and the other failed and gave the place back.
          if (displaced !== null) remove(displaced)
          put({ uuid, owner })
        },
        giveBack() {
          if (pending.get(uuid) !== taken) return
          pending.delete(uuid)
          remove(uuid)
          if (former !== undefined) put({ uuid, owner: former })
          if (displaced !== null) put({ uuid: displaced, owner })
        },
      }
      pending.set(uuid, taken)
      return taken
    },
  }
}
