import type { Accepted, Attempt, Enforced } from './messages.ts'

/** A kill of a demo run. Times in ms; moments by CLOCK_MONOTONIC. */
export type DemoKill = {
  readonly killId: string
  /** SPIFFE IDs of the agents that it covers and no earlier kill did. */
  readonly covered: readonly string[]
  readonly seenAt: number
  /** From first sight; null when the relayer does not say. */
  readonly durableAfter: number | null
  /** From first sight to the last acknowledgement; null when one is missing. */
  readonly confirmedAfter: number | null
}

export type DemoEnforcer = {
  readonly spiffeId: string
  readonly accepted: readonly Accepted[]
  readonly enforced: readonly Enforced[]
}

/** What a run recorded: `kills` in the order in which they were given. */
export type DemoRun<Name extends string> = {
  readonly kills: Readonly<Record<Name, DemoKill>>
  readonly enforcers: readonly DemoEnforcer[]
  readonly attempts: readonly Attempt[]
  /** SPIFFE IDs of the second wallet's agents: no kill covers them. */
  readonly bystanders: readonly string[]
  /** End of the run, by CLOCK_MONOTONIC in ms. */
  readonly endedAt: number
}

export type KillVerdict = {
  readonly agents: number
  readonly seenToDurableMs: number | null
  /** 0 when nothing was accepted after first sight. */
  readonly seenToLastAcceptedMs: number
  readonly seenToConfirmedMs: number | null
  readonly ok: boolean
}

export type DemoVerdict<Name extends string> = {
  readonly kills: Readonly<Record<Name, KillVerdict>>
  /** What went wrong, each a sentence. */
  readonly failures: readonly string[]
}

/** Longest time that any of the three may take, in ms. */
export const demoLimit = 2_000

/** Two processes read one clock, and round it: how much earlier an effect may seem than its cause (ms). */
const rounding = 1

const round = (ms: number): number => Math.round(ms * 10) / 10
const times = (count: number): string => (count === 1 ? 'once' : `${count} times`)
const short = (spiffeId: string): string => spiffeId.replace(/^spiffe:\/\/[^/]*\//, '')

/**
 * Judges a run by what enforcers and agents recorded themselves. A run proves something only if the covered agents
 * were let in before and went on trying after, so both are demanded too.
 */
export function judgeDemo<Name extends string>(run: DemoRun<Name>): DemoVerdict<Name> {
  const failures: string[] = []
  const names = Object.keys(run.kills) as Name[]
  const failed = new Set<Name>()
  const fail = (name: Name | undefined, why: string): void => {
    failures.push(name === undefined ? why : `${name}: ${why}`)
    if (name !== undefined) failed.add(name)
  }

  const judgeKill = (name: Name): KillVerdict => {
    const kill = run.kills[name]
    const covered = new Set(kill.covered)
    if (covered.size === 0) fail(name, 'it covers no agent')
    const accepted = run.enforcers.flatMap((enforcer) =>
      enforcer.accepted.filter(({ spiffeId }) => covered.has(spiffeId)),
    )
    const lastAccepted = accepted.reduce((last, { at }) => Math.max(last, at - kill.seenAt), 0)
    for (const enforcer of run.enforcers) judgeEnforcer(name, kill, covered, enforcer)
    const allEnforcedAt = Math.max(
      ...run.enforcers.map(({ enforced }) => enforced.find((one) => one.killId === kill.killId)?.at ?? 0),
    )
    for (const spiffeId of covered) {
      if (!accepted.some((one) => one.spiffeId === spiffeId && one.at < kill.seenAt))
        fail(name, `${short(spiffeId)} was never accepted before the kill, so its end proves nothing`)
    }
    const times = {
      'seen to durable': kill.durableAfter,
      'seen to last accepted': lastAccepted,
      'seen to confirmed': kill.confirmedAfter,
    }
    for (const [what, time] of Object.entries(times)) {
      if (time === null) fail(name, `${what}: the relayer never said so`)
      else if (time > demoLimit) fail(name, `${what} took ${round(time)} ms, more than ${demoLimit}`)
    }
    if (kill.confirmedAfter !== null && kill.seenAt + kill.confirmedAfter < allEnforcedAt - rounding)
      fail(name, 'the relayer called it confirmed before every enforcer had acknowledged')
    return {
      agents: covered.size,
      seenToDurableMs: kill.durableAfter === null ? null : round(kill.durableAfter),
      seenToLastAcceptedMs: round(lastAccepted),
      seenToConfirmedMs: kill.confirmedAfter === null ? null : round(kill.confirmedAfter),
      ok: true,
    }
  }

  const judgeEnforcer = (
    name: Name,
    kill: DemoKill,
    covered: ReadonlySet<string>,
    enforcer: DemoEnforcer,
  ): void => {
    const enforced = enforcer.enforced.find((one) => one.killId === kill.killId)
    if (enforced === undefined) {
      fail(name, `${short(enforcer.spiffeId)} never enforced it`)
      return
    }
    for (const spiffeId of covered) {
      const late = enforcer.accepted.filter((one) => one.spiffeId === spiffeId && one.at > enforced.at)
      const last = late.at(-1)
      const refused = run.attempts.some(
        (one) =>
          one.spiffeId === spiffeId &&
          one.service === enforcer.spiffeId &&
          one.from > enforced.at &&
          one.outcome !== 'accepted',
      )
      if (last !== undefined)
        fail(
          name,
          `${short(enforcer.spiffeId)} accepted ${short(spiffeId)} after its own acknowledgement: ${times(late.length)}, last ${round(last.at - enforced.at)} ms after`,
        )
      else if (!refused)
        fail(
          name,
          `${short(spiffeId)} did not try ${short(enforcer.spiffeId)} again, so nothing proves its refusal`,
        )
    }
  }

  const judgeBystanders = (): void => {
    const bystanders = new Set(run.bystanders)
    /** The kill in whose time something happened: the last one seen before. */
    const during = (at: number): Name | undefined => names.findLast((name) => run.kills[name].seenAt <= at)
    const refused = new Map<string, { readonly first: Attempt; count: number }>()
    for (const attempt of run.attempts) {
      if (!bystanders.has(attempt.spiffeId) || attempt.outcome === 'accepted') continue
      const key = `${attempt.spiffeId} ${attempt.service}`
      const known = refused.get(key)
      if (known === undefined) refused.set(key, { first: attempt, count: 1 })
      else known.count += 1
    }
    for (const { first, count } of refused.values()) {
      const { spiffeId, service, to, outcome, detail } = first
      fail(
        during(to),
        `${short(spiffeId)} of the second wallet was refused by ${short(service)}: ${times(count)}, first ${outcome}${detail === '' ? '' : ` (${detail})`}`,
      )
    }
    for (const [index, name] of names.entries()) {
      const next = names[index + 1]
      const from = run.kills[name].seenAt + (run.kills[name].confirmedAfter ?? 0)
      const to = next === undefined ? run.endedAt : run.kills[next].seenAt
      for (const enforcer of run.enforcers) {
        const served = new Set(
          enforcer.accepted.filter(({ at }) => at > from && at <= to).map(({ spiffeId }) => spiffeId),
        )
        const missing = run.bystanders.filter((spiffeId) => !served.has(spiffeId))
        if (missing.length > 0)
          fail(
            name,
            `${missing.length} agents of the second wallet did not go on at ${short(enforcer.spiffeId)}, ${short(missing[0] as string)} among them`,
          )
      }
    }
  }

  const verdicts = names.map((name) => [name, judgeKill(name)] as const)
  judgeBystanders()
  return {
    kills: Object.fromEntries(
      verdicts.map(([name, verdict]) => [name, { ...verdict, ok: !failed.has(name) }]),
    ) as Record<Name, KillVerdict>,
    failures,
  }
}
