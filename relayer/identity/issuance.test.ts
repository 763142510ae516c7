import { describe, expect, test } from 'vitest'
import { deploymentId } from '../../protocol/deployment.ts'
import type { Hex } from '../../protocol/hex.ts'
import { Rank } from '../../protocol/rank.ts'
import { applyRegistryEvent, createRegistry } from '../../protocol/registry.ts'
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
import { createIssuance, proofLife } from './issuance.ts'
import type { SvidRecord } from './svidRecord.ts'

const trustDomain = 'killswitch.test'
const deployment = { chainId: 1, contract: `0x${'c0'.repeat(20)}` } as const
const owner: Hex = `0x${'a1'.repeat(20)}`
const uuid = '01234567-89ab-8def-8123-456789abcdef'
const agent = `spiffe://${trustDomain}/worker/${uuid}`
const shop = `spiffe://${trustDomain}/service/shop`
const spki = Uint8Array.of(1)
const bornAt = 3

/** One registered agent, one enrolled service, and a provider that numbers its SVIDs; times in ms. */
function world() {
  let now = 1_000_000
  let blind = false
  let mayHoldSvid = true
  let record = async () => {}
  let issued = 0
  const enrolled = new Map([[shop, 0]])
  const registry = createRegistry()
  const rows = new Map<string, RevocationRow>()
  applyRegistryEvent(
    registry,
    {
      type: 'AgentRegistered',
      uuid,
      owner,
      agentType: 'worker',
      key: `0x${'11'.repeat(32)}`,
      sequence: bornAt,
    },
    0,
  )
  const issuance = createIssuance({
    executor: {
      registry,
      mayHoldSvid: () => mayHoldSvid,
      chainView: () => ({ head: null, grantPoint: null, blind }),
      table: rows,
    },
    deployment,
    trustDomain,
    svidLife: 300_000,
    clock: { wall: () => now, monotonic: () => now },
    issue: async ({ lifetime }) => {
      issued += 1
      return { pem: 'pem', serial: `00f${issued}`, expiresAt: now + lifetime }
    },
    record: () => record(),
    enrolledSince: (spiffeId) => enrolled.get(spiffeId) ?? null,
    latest: [],
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
    renew: (svid: SvidRecord, serial = svid.serial) =>
      issuance.renewed(
        { claims: claimsOf(svid), serial, issuedAt: Math.floor(svid.issuedAt / 1000) * 1000 },
        spki,
      ),
    now: () => now,
    set: (change: { blind?: boolean; mayHoldSvid?: boolean }) => {
      blind = change.blind ?? blind
      mayHoldSvid = change.mayHoldSvid ?? mayHoldSvid
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
})
