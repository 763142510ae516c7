import { describe, expect, it } from 'vitest'
import { type DemoRun, demoLimit, judgeDemo } from './judgeDemo.ts'
import type { Attempt } from './messages.ts'

const covered = 'spiffe://killswitch.local/trader/a'
const alsoCovered = 'spiffe://killswitch.local/trader/b'
const bystander = 'spiffe://killswitch.local/trader/z'
const first = 'spiffe://killswitch.local/service/one'
const second = 'spiffe://killswitch.local/service/two'

const attempt = (
  spiffeId: string,
  service: string,
  from: number,
  outcome: Attempt['outcome'] = 'accepted',
): Attempt => ({ spiffeId, service, from, to: from + 1, outcome, detail: '' })

const enforcer = (spiffeId: string, enforcedAt: number) => ({
  spiffeId,
  accepted: [
    { spiffeId: covered, at: 90 },
    { spiffeId: alsoCovered, at: 91 },
    { spiffeId: covered, at: 104 },
    { spiffeId: bystander, at: 95 },
    { spiffeId: bystander, at: 200 },
  ],
  enforced: [{ killId: 'k', target: 'Agent a', at: enforcedAt, closedConnections: 2 }],
})

/** Seen at 100, enforced at 105 and 106, confirmed at 110. */
const good: DemoRun<'order'> = {
  kills: {
    order: {
      killId: 'k',
      covered: [covered, alsoCovered],
      seenAt: 100,
      durableAfter: 3,
      confirmedAfter: 10,
    },
  },
  enforcers: [enforcer(first, 105), enforcer(second, 106)],
  attempts: [
    ...[first, second].flatMap((service) =>
      [covered, alsoCovered].map((spiffeId) => attempt(spiffeId, service, 120, 'killed')),
    ),
    attempt(bystander, first, 130),
  ],
  bystanders: [bystander],
  endedAt: 1000,
}

const change = (kill: Partial<DemoRun<'order'>['kills']['order']>): DemoRun<'order'> => ({
  ...good,
  kills: { order: { ...good.kills.order, ...kill } },
})

/** The one failure of a run. */
const failureOf = (run: DemoRun<'order'>): string => {
  const { failures, kills } = judgeDemo(run)
  expect(failures).toHaveLength(1)
  expect(kills.order.ok).toBe(false)
  return failures[0] ?? ''
}

describe('judgeDemo', () => {
  it('measures a kill that worked', () => {
    expect(judgeDemo(good)).toEqual({
      kills: {
        order: { agents: 2, seenToDurableMs: 3, seenToLastAcceptedMs: 4, seenToConfirmedMs: 10, ok: true },
      },
      failures: [],
    })
  })

  it('fails when an enforcer accepts a covered agent after its own acknowledgement, however late others are', () => {
    const late = {
      ...enforcer(first, 105),
      accepted: [...enforcer(first, 105).accepted, { spiffeId: covered, at: 105.5 }],
    }
    expect(failureOf({ ...good, enforcers: [late, enforcer(second, 106)] })).toMatch(
      /service\/one accepted trader\/a after its own acknowledgement: once, last 0\.5 ms after/,
    )
  })

  it.each(['killed', 'closed', 'failed'] as const)(
    'fails when a call of the second wallet ends as %s',
    (outcome) => {
      expect(
        failureOf({ ...good, attempts: [...good.attempts, attempt(bystander, second, 140, outcome)] }),
      ).toMatch(/trader\/z of the second wallet was refused by service\/two: once/)
    },
  )

  it('fails when the second wallet was refused before any kill, and blames no kill', () => {
    const { failures, kills } = judgeDemo({
      ...good,
      attempts: [...good.attempts, attempt(bystander, first, 10, 'killed')],
    })
    expect(failures).toHaveLength(1)
    expect(kills.order.ok).toBe(true)
  })

  it('fails when an agent of the second wallet falls silent', () => {
    const silent = {
      ...enforcer(first, 105),
      accepted: enforcer(first, 105).accepted.filter(({ at }) => at < 200),
    }
    expect(failureOf({ ...good, enforcers: [silent, enforcer(second, 106)] })).toMatch(/did not go on/)
  })

  it('takes exactly the limit and nothing beyond it', () => {
    expect(judgeDemo(change({ durableAfter: demoLimit })).failures).toEqual([])
    expect(failureOf(change({ durableAfter: demoLimit + 0.1 }))).toMatch(/seen to durable took 2000\.1 ms/)
  })

  it('fails when something was accepted after the limit', () => {
    const enforcers = [enforcer(first, 3000), enforcer(second, 3000)].map((one) => ({
      ...one,
      accepted: [...one.accepted, { spiffeId: covered, at: 2500 }, { spiffeId: bystander, at: 5000 }],
    }))
    const attempts = good.attempts.map((one) => ({ ...one, from: 4000 }))
    const run = { ...change({ confirmedAfter: 2000 }), enforcers, attempts, endedAt: 6000 }
    const { failures } = judgeDemo({ ...run, kills: { order: { ...run.kills.order, seenAt: 100 } } })
    expect(failures).toContainEqual(expect.stringMatching(/seen to last accepted took 2400 ms/))
  })

  it('fails when the relayer never says durable or confirmed', () => {
    expect(failureOf(change({ durableAfter: null }))).toMatch(/seen to durable: the relayer never said so/)
    expect(failureOf(change({ confirmedAfter: null }))).toMatch(/seen to confirmed/)
  })

  it('fails when confirmed comes before an acknowledgement, but for the rounding of the clocks', () => {
    expect(judgeDemo(change({ confirmedAfter: 5.5 })).failures).toEqual([])
    expect(failureOf(change({ confirmedAfter: 4 }))).toMatch(/confirmed before every enforcer/)
  })

  it('fails when an enforcer never enforced', () => {
    expect(
      failureOf({ ...good, enforcers: [enforcer(first, 105), { ...enforcer(second, 106), enforced: [] }] }),
    ).toMatch(/service\/two never enforced it/)
  })

  it('fails when nothing proves the end: not served before, or not tried after', () => {
    const unserved = good.enforcers.map((one) => ({
      ...one,
      accepted: one.accepted.filter(({ spiffeId }) => spiffeId !== alsoCovered),
    }))
    expect(failureOf({ ...good, enforcers: unserved })).toMatch(/trader\/b was never accepted before/)
    const untried = good.attempts.filter((one) => !(one.spiffeId === alsoCovered && one.service === second))
    expect(failureOf({ ...good, attempts: untried })).toMatch(/trader\/b did not try service\/two again/)
  })

  it('fails for a kill of nobody', () => {
    expect(judgeDemo(change({ covered: [] })).failures).toContainEqual(
      expect.stringMatching(/covers no agent/),
    )
  })
})
