import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Hex } from './hex.ts'
import {
  agentTarget,
  agentTypeTarget,
  fleetSubject,
  fleetTarget,
  InvalidSubjectError,
  ownerTarget,
  Scope,
  scopes,
  subjectLabel,
  targetKey,
} from './scope.ts'

const wallet = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .filter((bytes) => bytes.some((byte) => byte > 0))
  .map((bytes): Hex => `0x${Buffer.from(bytes).toString('hex')}`)
const agentType = fc.string({ unit: fc.constantFrom(...'abyz019-'), minLength: 1, maxLength: 32 })

test('subjects round-trip, in 32 bytes of lower-case hex', () => {
  fc.assert(
    fc.property(fc.uuid(), wallet, agentType, (uuid, owner, type) => {
      for (const [target, label] of [
        [agentTarget(uuid), uuid],
        [ownerTarget(owner), owner],
        [ownerTarget(`0x${owner.slice(2).toUpperCase()}`), owner],
        [agentTypeTarget(type), type],
        [fleetTarget, ''],
      ] as const) {
        expect(target.subject).toMatch(/^0x[0-9a-f]{64}$/)
        expect(subjectLabel(target)).toBe(label)
      }
    }),
  )
})

test('where they lie: ids and wallets right-aligned, types left-aligned', () => {
  expect(agentTarget('5c146b14-3c52-8afd-938a-375d0df1fbf6').subject).toBe(
    `0x${'0'.repeat(32)}5c146b143c528afd938a375d0df1fbf6`,
  )
  expect(ownerTarget(`0x${'aB'.repeat(20)}`).subject).toBe(`0x${'0'.repeat(24)}${'ab'.repeat(20)}`)
  expect(agentTypeTarget('trader').subject).toBe(`0x747261646572${'0'.repeat(52)}`)
  expect(agentTypeTarget('p').subject).toBe(`0x70${'0'.repeat(62)}`)
})

test('every 32 bytes that a scope accepts are those that its label builds', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 32, maxLength: 32 }),
    fc
      .tuple(fc.nat(32), fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.boolean())
      .map(([n, b, left]) => {
        const padded = new Uint8Array(32)
        padded.set(b.map((byte) => (left ? 0x61 + (byte % 26) : byte)).subarray(0, n), left ? 0 : 32 - n)
        return padded
      }),
  )
  fc.assert(
    fc.property(bytes, fc.constantFrom(...scopes), (raw, scope) => {
      const subject: Hex = `0x${Buffer.from(raw).toString('hex')}`
      let label: string
      try {
        label = subjectLabel({ scope, subject })
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidSubjectError)
        return
      }
      const built = [
        () => agentTarget(label),
        () => ownerTarget(label as Hex),
        () => agentTypeTarget(label),
        () => fleetTarget,
      ][scope]?.()
      expect(built).toEqual({ scope, subject })
    }),
    { numRuns: 1000 },
  )
})

const word = (digits: string, at: 'left' | 'right'): Hex =>
  `0x${at === 'left' ? digits.padEnd(64, '0') : digits.padStart(64, '0')}`
test.each([
  [Scope.Agent, word('1'.repeat(33), 'right')],
  [Scope.Owner, word('1'.repeat(41), 'right')],
  [Scope.Owner, fleetSubject],
  [Scope.AgentType, fleetSubject],
  [Scope.AgentType, word('6100', 'left').replace(/0$/, '1') as Hex],
  [Scope.AgentType, word('610061', 'left')],
  [Scope.AgentType, word('0061', 'left')],
  [Scope.AgentType, word('41', 'left')],
  [Scope.Fleet, word('1', 'right')],
  [Scope.Owner, word('AB', 'right')],
  [Scope.Fleet, '0x'],
  [Scope.Fleet, `${fleetSubject}0`],
  [Scope.Fleet, `${fleetSubject}\n`],
  [4 as Scope, fleetSubject],
] as const)('scope %s refuses subject %s', (scope, subject) => {
  expect(() => subjectLabel({ scope, subject: subject as Hex })).toThrow(InvalidSubjectError)
})

test('targets are not built from what is no wallet or type', () => {
  for (const text of [
    '',
    '0x',
    `0x${'0'.repeat(40)}`,
    `0x${'1'.repeat(39)}`,
    `0x${'1'.repeat(41)}`,
    'é'.repeat(42),
  ])
    expect(() => ownerTarget(text as Hex)).toThrow(InvalidSubjectError)
  for (const text of ['', 'A', 'a_b', 'a'.repeat(33), 'é', '€', 'a\n', 'a\0'])
    expect(() => agentTypeTarget(text)).toThrow(InvalidSubjectError)
})

test('keys are those of scope and subject together', () => {
  expect(new Set(scopes.map((scope) => targetKey({ scope, subject: fleetSubject }))).size).toBe(4)
})
