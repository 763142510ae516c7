import { beforeAll, describe, expect, test } from 'vitest'
import { makeKey } from '../../test/relayer/makeKey.ts'
import { createEnrolments } from './enrolments.ts'
import { type OperatorStatement, signStatement } from './operatorStatement.ts'
import type { SvidRecord } from './svidRecord.ts'

const trustDomain = 'killswitch.test'
const shop = `spiffe://${trustDomain}/service/shop`
const secret = Buffer.alloc(32, 1)

let csr: string
beforeAll(async () => {
  csr = (await makeKey()).csr
})

/** Enrolments over a store in memory; times in ms. */
function world(workloads: Parameters<typeof createEnrolments>[0]['workloads'] = []) {
  let now = 1_000
  let blind = false
  let onWrite = async () => {}
  const taken = new Set<string>()
  const written: string[] = []
  const enrolments = createEnrolments({
    secret,
    trustDomain,
    workloads,
    now: () => now,
    blind: () => blind,
    takeToken: async (token) => {
      if (taken.has(token)) return false
      taken.add(token)
      return true
    },
    async write({ spiffeId, withdrawnAt }) {
      const change = withdrawnAt === null ? 'enrolled' : 'withdrawn'
      await onWrite()
      written.push(`${change} ${spiffeId}`)
    },
    issue: async (spiffeId) => ({ spiffeId }) as SvidRecord,
  })
  let id = 0
  const token = (action: 'enrol' | 'withdraw', change: Partial<OperatorStatement> = {}) => {
    id += 1
    const times = { issuedAt: now, expiresAt: now + 60_000 }
    return signStatement(secret, { action, id: String(id), spiffeId: shop, ...times, ...change })
  }
  return {
    enrolments,
    written,
    token,
    enrol: (given = token('enrol')) => enrolments.enrol(given, csr),
    withdraw: (given = token('withdraw')) => enrolments.withdraw(given),
    pass: (ms: number) => {
      now += ms
    },
    setBlind: (on: boolean) => {
      blind = on
    },
    onWrite: (next: typeof onWrite) => {
      onWrite = next
    },
  }
}

const badToken = { kind: 'bad token' }

describe('a token', () => {
  test('is not lost to a blind relayer', async () => {
    const w = world()
    const token = w.token('enrol')
    w.setBlind(true)
    await expect(w.enrol(token)).rejects.toMatchObject({ kind: 'blind' })
    expect(w.written).toEqual([])
    w.setBlind(false)
    expect(await w.enrol(token)).toEqual({ spiffeId: shop })
    await expect(w.enrol(token)).rejects.toMatchObject(badToken)
  })

  test('is not lost to a CSR that is none', async () => {
    const w = world()
    const token = w.token('enrol')
    await expect(w.enrolments.enrol(token, 'nothing')).rejects.toMatchObject({ kind: 'bad request' })
    await w.enrol(token)
  })

  test('holds until its last ms', async () => {
    const w = world()
    const [first, second] = [w.token('enrol'), w.token('enrol')]
    w.pass(60_000)
    await w.enrol(first)
    w.pass(1)
    await expect(w.enrol(second)).rejects.toMatchObject(badToken)
  })

  test('to enrol does not withdraw, and the other way round', async () => {
    const w = world()
    await w.enrol()
    w.pass(1)
    await expect(w.withdraw(w.token('enrol'))).rejects.toMatchObject(badToken)
    await expect(w.enrol(w.token('withdraw'))).rejects.toMatchObject(badToken)
    expect(w.enrolments.enrolledSince(shop)).not.toBeNull()
  })

  test('made before or in the very ms of the opposite does nothing', async () => {
    const w = world()
    const [enrol, withdraw] = [w.token('enrol'), w.token('withdraw')]
    await w.enrol()
    await expect(w.withdraw(withdraw)).rejects.toMatchObject(badToken)
    w.pass(1)
    await w.withdraw()
    await expect(w.enrol(enrol)).rejects.toMatchObject(badToken)
    await expect(w.enrol(w.token('enrol'))).rejects.toMatchObject(badToken)
    w.pass(1)
    await w.enrol()
    expect(w.enrolments.enrolledSince(shop)).not.toBeNull()
  })
})

describe('a withdrawal', () => {
  test('needs an enrolment', async () => {
    const w = world()
    await expect(w.withdraw()).rejects.toMatchObject({ kind: 'not enrolled' })
    await w.enrol()
    w.pass(1)
    await w.withdraw()
    await expect(w.withdraw()).rejects.toMatchObject({ kind: 'not enrolled' })
  })

  test('of an earlier run counts', async () => {
    const w = world([{ spiffeId: shop, enrolledAt: 1, withdrawnAt: 1_000 }])
    expect(w.enrolments.enrolledSince(shop)).toBeNull()
    await expect(w.enrol(w.token('enrol', { issuedAt: 1_000 }))).rejects.toMatchObject(badToken)
    await w.enrol(w.token('enrol', { issuedAt: 1_001 }))
  })

  test('is not undone by an older token that is used while it is written', async () => {
    const w = world([{ spiffeId: shop, enrolledAt: 1, withdrawnAt: null }])
    const old = w.token('enrol')
    w.pass(1)
    const { promise, resolve } = Promise.withResolvers<void>()
    w.onWrite(() => promise)
    const withdrawn = w.withdraw()
    const enrolled = w.enrol(old)
    resolve()
    await withdrawn
    await expect(enrolled).rejects.toMatchObject(badToken)
    expect(w.enrolments.enrolledSince(shop)).toBeNull()
    expect(w.written).toEqual([`withdrawn ${shop}`])
  })

  test('that cannot be written does not count and can be sent again', async () => {
    const w = world([{ spiffeId: shop, enrolledAt: 1, withdrawnAt: null }])
    const token = w.token('withdraw')
    w.onWrite(async () => {
      throw new Error('disk full')
    })
    await expect(w.withdraw(token)).rejects.toThrow('disk full')
    expect(w.enrolments.enrolledSince(shop)).not.toBeNull()
    w.onWrite(async () => {})
    expect(await w.withdraw(token)).toBe(shop)
  })
})
