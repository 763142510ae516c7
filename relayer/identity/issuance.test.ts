import { describe, expect, test } from 'vitest'
import { deploymentId } from '../../protocol/deployment.ts'
import type { Hex } from '../../protocol/hex.ts'
import { Rank } from '../../protocol/rank.ts'
import { applyRegistryEvent, createRegistry, type RegistryEvent } from '../../protocol/registry.ts'
import type { RevocationRow, SvidClaims } from '../../protocol/revocation.ts'
import {
  agentTarget,
  agentTypeTarget,
  fleetTarget,
  ownerTarget,
  type Target,
  targetKey,
} from '../../protocol/scope.ts'
import { parseSpiffeId } from '../../protocol/spiffeId.ts'
import type { PolicyReference } from '../policy/policyReference.ts'
import { createIssuance, issueNotes, proofLife } from './issuance.ts'
import { createPlaces } from './places.ts'
import type { SvidRecord } from './svidRecord.ts'

const trustDomain = 'killswitch.test'
const deployment = { chainId: 1, contract: `0x${'c0'.repeat(20)}` } as const
const owner: Hex = `0x${'a1'.repeat(20)}`
const uuidOf = (n: number) => `01234567-89ab-8def-8123-456789abcde${(0xe + n).toString(16).slice(-1)}`
const uuid = uuidOf(1)
const agent = `spiffe://${trustDomain}/worker/${uuid}`
const shop = `spiffe://${trustDomain}/service/shop`
const spki = Uint8Array.of(1)
const bornAt = 3

/** One registered agent, one enrolled service, and a provider that numbers its SVIDs; times in ms. */
function world(agents = 1) {
  let now = 1_000_000
  let chainTime = 0
  let resumeCooldown: number | null = 0
  let quotaOf: () => Promise<number | null> = async () => null
  let blind = false
  let mayHoldSvid = true
  let record: (svid: SvidRecord, policy: PolicyReference | null) => Promise<void> = async () => {}
  let policy: PolicyReference | null = null
  let onIssue = (): void => {}
  let issued = 0
  const enrolled = new Map([[shop, 0]])
  const registry = createRegistry()
  const rows = new Map<string, RevocationRow>()
  const register = (one: string, sequence: number) =>
    applyRegistryEvent(
      registry,
      {
        ...{ type: 'AgentRegistered', uuid: one, owner, agentType: 'worker', sequence },
        key: `0x${'11'.repeat(32)}`,
      },
      0,
    )
  for (let i = agents; i > 0; i--) register(uuidOf(i), bornAt + 1 - i)
  const issuance = createIssuance({
    executor: {
      registry,
      mayHoldSvid: () => mayHoldSvid,
      chainView: () => ({ head: null, grantPoint: { number: 1, hash: '0x', time: chainTime }, blind }),
      table: rows,
    },
    deployment,
    trustDomain,
    svidLife: 300_000,
    clock: { wall: () => now, monotonic: () => now },
    issue: async ({ lifetime }) => {
      issued += 1
      onIssue()
      return { pem: 'pem', serial: `00f${issued}`, expiresAt: now + lifetime }
    },
    policyOf: () => policy,
    record: (svid, _, under) => record(svid, under),
    enrolledSince: (spiffeId) => enrolled.get(spiffeId) ?? null,
    latest: [],
    places: createPlaces({ registry, taken: [] }),
    quotaOf: () => quotaOf(),
    resumeCooldownOf: () => resumeCooldown,
  })
  const claimsOf = ({ spiffeId, generation, owner: of }: SvidRecord): SvidClaims => ({
    spiffeId: parseSpiffeId(spiffeId),
    owner: of,
    generation,
    deployment: deploymentId(deployment),
  })
  const kill = (target: Target, sequence: number) =>
    applyRegistryEvent(
      registry,
      {
        type: 'Killed',
        ...target,
        authority: owner,
        rank: Rank.Owner,
        reason: 1,
        sequence,
        orderDigest: null,
        text: '',
      },
      0,
    )
  return {
    issuance,
    registry,
    rows,
    enrolled,
    kill,
    resume: (target: Target, sequence: number, requestTime: number) =>
      applyRegistryEvent(
        registry,
        { type: 'Resumed', ...target, authority: owner, sequence, requestTime },
        requestTime,
      ),
    renew: (svid: SvidRecord, serial = svid.serial) =>
      issuance.renewed(
        { claims: claimsOf(svid), serial, issuedAt: Math.floor(svid.issuedAt / 1000) * 1000 },
        spki,
      ),
    now: () => now,
    set: (change: {
      blind?: boolean
      mayHoldSvid?: boolean
      chainTime?: number
      resumeCooldown?: number | null
      quotaOf?: typeof quotaOf
      policy?: PolicyReference
      onIssue?: () => void
    }) => {
      blind = change.blind ?? blind
      mayHoldSvid = change.mayHoldSvid ?? mayHoldSvid
      chainTime = change.chainTime ?? chainTime
      if (change.resumeCooldown !== undefined) resumeCooldown = change.resumeCooldown
      quotaOf = change.quotaOf ?? quotaOf
      policy = change.policy ?? policy
      onIssue = change.onIssue ?? onIssue
    },
    onRecord: (next: typeof record) => {
      record = next
    },
    pass: (ms: number) => {
      now += ms
    },
  }
}

describe('renewal', () => {
  test('carries the proof on for its day, and not beyond', async () => {
    const w = world()
    const first = await w.issuance.attested(agent, spki)
    w.pass(proofLife)
    const second = await w.renew(first)
    expect(second).toMatchObject({ provedAt: first.provedAt, owner })
    w.pass(1)
    await expect(w.renew(second)).rejects.toMatchObject({ kind: 'proof needed' })
  })

  test('is of the latest SVID only, whatever zero octets its serial number begins with', async () => {
    const w = world()
    const first = await w.issuance.attested(agent, spki)
    const second = await w.renew(first, first.serial.replace(/^00/, ''))
    await expect(w.renew(first)).rejects.toMatchObject({ kind: 'proof needed' })
    await w.renew(second)
  })

  test.each([
    ['agent', agentTarget(uuid)],
    ['owner', ownerTarget(owner)],
    ['type', agentTypeTarget('worker')],
    ['fleet', fleetTarget],
  ])(
    'of an SVID from before a kill of its %s is refused, though the table has forgotten the row',
    async (_, target) => {
      const w = world()
      const before = await w.issuance.attested(agent, spki)
      w.kill(target, bornAt + 1)
      await expect(w.renew(before)).rejects.toMatchObject({ kind: 'revoked' })
      const after = await w.issuance.attested(agent, spki)
      expect(after.generation).toBe(bornAt + 1)
      await w.renew(after)
    },
  )

  test('is refused by the table before the registry has the kill', async () => {
    const w = world()
    const svid = await w.issuance.attested(agent, spki)
    const row = { provisional: true, finalSequence: 0, rank: Rank.Owner, reason: 1, text: '', killId: 'k' }
    w.rows.set(targetKey(agentTarget(uuid)), { ...agentTarget(uuid), ...row })
    await expect(w.renew(svid)).rejects.toMatchObject({ kind: 'revoked' })
  })

  test('of a service ends with its enrolment; kills never cover it', async () => {
    const w = world()
    const svid = await w.issuance.enrolled(shop, spki)
    w.kill(fleetTarget, bornAt + 1)
    await w.renew(svid)
    w.enrolled.delete(shop)
    await expect(w.renew(svid)).rejects.toMatchObject({ kind: 'other identity' })
  })
})

test('an SVID from before a service was enrolled anew is renewed no more', async () => {
  const w = world()
  const stolen = await w.issuance.enrolled(shop, spki)
  w.pass(1_000)
  w.enrolled.set(shop, w.now())
  const own = await w.issuance.enrolled(shop, spki)
  await expect(w.renew(stolen)).rejects.toMatchObject({ kind: 'other identity', value: stolen.serial })
  await w.renew(own)
})

describe('no SVID leaves', () => {
  test('a relayer that is blind', async () => {
    const w = world()
    const [svid, service] = [await w.issuance.attested(agent, spki), await w.issuance.enrolled(shop, spki)]
    w.set({ blind: true })
    for (const asked of [
      () => w.issuance.attested(agent, spki),
      () => w.issuance.enrolled(shop, spki),
      () => w.renew(svid),
      () => w.renew(service),
    ])
      await expect(asked()).rejects.toMatchObject({ kind: 'blind' })
  })

  test('for an agent that is killed while it is recorded', async () => {
    const w = world()
    w.onRecord(async () => w.set({ mayHoldSvid: false }))
    await expect(w.issuance.attested(agent, spki)).rejects.toMatchObject({ kind: 'killed' })
    expect(w.issuance.latest(agent)).toBeUndefined()
  })

  test('for a service whose enrolment is withdrawn while it is recorded', async () => {
    const w = world()
    const svid = await w.issuance.enrolled(shop, spki)
    w.onRecord(async () => void w.enrolled.delete(shop))
    await expect(w.renew(svid)).rejects.toMatchObject({ kind: 'other identity' })
    expect(w.issuance.latest(shop)).toBe(svid)
  })

  test('unrecorded', async () => {
    const w = world()
    w.onRecord(async () => {
      throw new Error('disk full')
    })
    await expect(w.issuance.attested(agent, spki)).rejects.toThrow('disk full')
    expect(w.issuance.latest(agent)).toBeUndefined()
  })

  test.each(['attested', 'renewed'] as const)(
    '%s on a key that is changed while it is recorded',
    async (how) => {
      const w = world()
      const first = await w.issuance.attested(agent, spki)
      w.onRecord(async () => {
        applyRegistryEvent(
          w.registry,
          { type: 'KeyChanged', uuid, key: `0x${'22'.repeat(32)}`, sequence: bornAt + 1 },
          0,
        )
      })
      const asked = how === 'attested' ? w.issuance.attested(agent, spki) : w.renew(first)
      await expect(asked).rejects.toMatchObject({ kind: 'proof needed' })
      expect(w.issuance.latest(agent)).toBe(first)
    },
  )
})

test('an SVID is noted with the policy that was in force when it was decided, though another came while it was signed', async () => {
  const w = world()
  const before: PolicyReference = { default: 1, type: null, block: 7, grantedBlock: 7 }
  const after: PolicyReference = { default: 2, type: null, block: 8, grantedBlock: 7 }
  w.set({ policy: before, onIssue: () => w.set({ policy: after }) })
  const noted: (PolicyReference | null | undefined)[] = []
  w.onRecord(async (svid, policy) => {
    noted.push(issueNotes(svid, 'attested', policy).audit?.[0]?.policy)
  })
  await w.issuance.attested(agent, spki)
  await w.issuance.attested(agent, spki)
  expect(noted).toEqual([before, after])
})

describe('the resume cool-down of the policy in force', () => {
  const requested = 1_000
  const from = requested + 600
  /** Killed and resumed; the policy asks for 600 s from the request on. */
  function resumed() {
    const w = world()
    w.set({ resumeCooldown: 600 })
    w.kill(agentTarget(uuid), bornAt + 1)
    w.resume(agentTarget(uuid), bornAt + 2, requested)
    w.pass(from * 1000 - w.now())
    return w
  }

  test.each([
    ['one second before', -1_000, 'refused'],
    ['one millisecond before', -1, 'refused'],
    ['when it has passed', 0, 'given'],
    ['one second after', 1_000, 'given'],
  ])('%s: %s', async (_, ms, expected) => {
    const w = resumed()
    w.pass(ms)
    const asked = w.issuance.attested(agent, spki)
    if (expected === 'given') await asked
    else
      await expect(asked).rejects.toMatchObject({
        ...{ kind: 'cooling down', spiffeId: agent, retryAt: from * 1000 },
      })
  })

  test.each([
    [-1, 'refused'],
    [0, 'given'],
    [1, 'given'],
  ])('by the chain, where it is ahead of the wall clock (%i s): %s', async (seconds, expected) => {
    const w = resumed()
    w.pass(-300_000)
    w.set({ chainTime: from + seconds })
    const kind = await w.issuance.attested(agent, spki).then(
      () => 'given',
      ({ kind }) => (kind === 'cooling down' ? 'refused' : kind),
    )
    expect(kind).toBe(expected)
  })

  test('holds nobody back who was never resumed', async () => {
    const w = world()
    w.set({ resumeCooldown: 2_592_000 })
    await w.issuance.attested(agent, spki)
  })

  test('tightened after the first SVID takes nothing back; before it, it counts', async () => {
    const w = resumed()
    const first = await w.issuance.attested(agent, spki)
    w.set({ resumeCooldown: 3_600 })
    await w.renew(first)
    await w.issuance.attested(agent, spki)

    w.kill(fleetTarget, bornAt + 3)
    w.resume(fleetTarget, bornAt + 4, requested)
    await expect(w.issuance.attested(agent, spki)).rejects.toMatchObject({
      retryAt: (requested + 3_600) * 1000,
    })
  })

  test('tightened while the SVID is recorded keeps it from leaving', async () => {
    const w = resumed()
    w.onRecord(async () => w.set({ resumeCooldown: 3_600 }))
    await expect(w.issuance.attested(agent, spki)).rejects.toMatchObject({ kind: 'cooling down' })
    expect(w.issuance.latest(agent)).toBeUndefined()
  })

  test('unread: who was resumed waits, at most the longest time that a policy can ask for', async () => {
    const w = resumed()
    w.set({ resumeCooldown: null })
    await expect(w.issuance.attested(agent, spki)).rejects.toMatchObject({ kind: 'policies unread' })
    w.pass((requested + 2_592_000) * 1000 - w.now() - 1)
    await expect(w.issuance.attested(agent, spki)).rejects.toMatchObject({ kind: 'policies unread' })
    w.pass(1)
    await w.issuance.attested(agent, spki)
    const never = world()
    never.set({ resumeCooldown: null })
    await never.issuance.attested(agent, spki)
  })
})

describe('a quota', () => {
  const agentOf = (n: number) => `spiffe://${trustDomain}/worker/${uuidOf(n)}`
  const quota = (n: number | null) => ({ quotaOf: async () => n })
  const filled = { kind: 'quota filled', field: 'owner', value: owner }

  test('bounds first SVIDs, and neither renewals nor those of who has a place', async () => {
    const w = world(3)
    w.set(quota(2))
    const first = await w.issuance.attested(agentOf(1), spki)
    await w.issuance.attested(agentOf(2), spki)
    await expect(w.issuance.attested(agentOf(3), spki)).rejects.toMatchObject(filled)
    w.set(quota(0))
    await w.renew(first)
    await w.issuance.attested(agentOf(2), spki)
    // Nor are they held up by the asking.
    w.set({ quotaOf: () => new Promise(() => {}) })
    await w.issuance.attested(agentOf(2), spki)
  })

  test('has its last place taken by one of two that come at once', async () => {
    const w = world(3)
    const answers: ((quota: number) => void)[] = []
    w.set({ quotaOf: () => new Promise((resolve) => answers.push(resolve)) })
    const asked = [1, 2].map((n) => w.issuance.attested(agentOf(n), spki))
    for (const answer of answers) answer(1)
    const [one, two] = await Promise.allSettled(asked)
    expect([one?.status, two?.status].toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  test('that is unknown lets in', async () => {
    const w = world(2)
    w.set(quota(1))
    await w.issuance.attested(agentOf(1), spki)
    w.set(quota(null))
    await w.issuance.attested(agentOf(2), spki)
  })

  test('has its place back when the SVID could not be recorded', async () => {
    const w = world(2)
    w.set(quota(1))
    w.onRecord(async () => {
      throw new Error('disk full')
    })
    await expect(w.issuance.attested(agentOf(1), spki)).rejects.toThrow('disk full')
    w.onRecord(async () => {})
    await w.issuance.attested(agentOf(2), spki)
  })

  test('says in the record of an SVID which place it takes', async () => {
    const w = world(2)
    w.set(quota(1))
    const first = await w.issuance.attested(agentOf(1), spki)
    expect(first.place).toEqual({ quota: 1, displaced: null })
    expect((await w.renew(first)).place).toBeUndefined()
    w.kill(agentTarget(uuidOf(1)), bornAt + 1)
    expect((await w.issuance.attested(agentOf(2), spki)).place).toEqual({ quota: 1, displaced: uuidOf(1) })
  })

  const other = `0x${'22'.repeat(32)}` as const
  test.each<[string, RegistryEvent[]]>([
    [
      'given away',
      [
        {
          ...{ type: 'AgentTransferred', uuid, formerOwner: owner, newOwner: `0x${'b0'.repeat(20)}` },
          formerUntil: 0,
        },
        { type: 'KeyChanged', uuid, key: `0x${'11'.repeat(32)}`, sequence: bornAt + 1 },
      ],
    ],
    ['given another key', [{ type: 'KeyChanged', uuid, key: other, sequence: bornAt + 1 }]],
  ])('that is asked for an agent that is %s meanwhile lets in nobody on the old proof', async (_, events) => {
    const w = world()
    w.set({
      async quotaOf() {
        for (const event of events) applyRegistryEvent(w.registry, event, 0)
        return 1
      },
    })
    await expect(w.issuance.attested(agent, spki)).rejects.toMatchObject({ kind: 'proof needed' })
    expect(w.issuance.latest(agent)).toBeUndefined()
  })
})
