import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatSpiffeId,
  InvalidSpiffeIdError,
  isAgentType,
  isTrustDomain,
  parseSpiffeId,
  reservedTypes,
} from './spiffeId.ts'

const uuid = '5c146b14-3c52-8afd-938a-375d0df1fbf6'
const accepts = (text: string): boolean => {
  try {
    parseSpiffeId(text)
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidSpiffeIdError)
    return false
  }
}

// Re-expressed from go-spiffe, v2/spiffeid/id_test.go and charset_test.go: every code point from 0 to 255 beside a good
// trust domain and beside a good path segment. What SPIFFE-ID, section 2, allows there:
const lower = 'abcdefghijklmnopqrstuvwxyz'
const trustDomainChars = `${lower}0123456789-._`
const pathChars = `${lower}${lower.toUpperCase()}0123456789-._`
// Killswitch allows less in a path: types and labels without upper case, dots and underscores.
const ownPathChars = `${lower}0123456789-`
const codePoints = Array.from({ length: 256 }, (_, code) => String.fromCodePoint(code))

describe('code points 0 to 255', () => {
  test('in the trust domain, as SPIFFE allows', () => {
    for (const char of codePoints) {
      const allowed = trustDomainChars.includes(char)
      expect([char, isTrustDomain(`trustdomain${char}`)]).toEqual([char, allowed])
      expect([char, accepts(`spiffe://trustdomain${char}/worker/${uuid}`)]).toEqual([char, allowed])
    }
  })

  test('in the type', () => {
    for (const char of codePoints) {
      const allowed = ownPathChars.includes(char)
      expect([char, accepts(`spiffe://trustdomain/path${char}/${uuid}`)]).toEqual([char, allowed])
      if (allowed) expect(pathChars).toContain(char)
    }
  })

  test('in a name: labels like types, UUIDs nothing else', () => {
    for (const char of codePoints) {
      expect([char, accepts(`spiffe://trustdomain/admin/name${char}`)]).toEqual([
        char,
        ownPathChars.includes(char),
      ])
      expect(accepts(`spiffe://trustdomain/worker/${uuid}${char}`)).toBe(false)
      expect([char, accepts(`spiffe://trustdomain/worker/${uuid.slice(0, -1)}${char}`)]).toEqual([
        char,
        '0123456789abcdef'.includes(char),
      ])
    }
  })
})

// Re-expressed from the listed cases of go-spiffe (the same file) and SPIFFE-ID, sections 2.1 to 2.4.
test.each([
  ['empty', ''],
  ['no scheme', `//trustdomain/worker/${uuid}`],
  ['another scheme', `http://trustdomain/worker/${uuid}`],
  ['scheme in upper case', `SPIFFE://trustdomain/worker/${uuid}`],
  ['one slash', `spiffe:/trustdomain/worker/${uuid}`],
  ['no slash', `spiffe:trustdomain/worker/${uuid}`],
  ['no trust domain', `spiffe:///worker/${uuid}`],
  ['no path', 'spiffe://trustdomain'],
  ['root path', 'spiffe://trustdomain/'],
  ['one segment', 'spiffe://trustdomain/worker'],
  ['three segments', `spiffe://trustdomain/a/worker/${uuid}`],
  ['empty segment', `spiffe://trustdomain//${uuid}`],
  ['trailing slash', `spiffe://trustdomain/worker/${uuid}/`],
  ['dot segment', `spiffe://trustdomain/./${uuid}`],
  ['two dots', `spiffe://trustdomain/../${uuid}`],
  ['percent-encoding in the domain', `spiffe://trust%64omain/worker/${uuid}`],
  ['percent-encoding in the path', `spiffe://trustdomain/work%65r/${uuid}`],
  ['port', `spiffe://trustdomain:80/worker/${uuid}`],
  ['user', `spiffe://user:pass@trustdomain/worker/${uuid}`],
  ['IPv6', `spiffe://[::1]/worker/${uuid}`],
  ['query', `spiffe://trustdomain/worker/${uuid}?q`],
  ['fragment', `spiffe://trustdomain/worker/${uuid}#f`],
  ['upper case in the domain', `spiffe://trustDomain/worker/${uuid}`],
  ['upper case in the type', `spiffe://trustdomain/Worker/${uuid}`],
  ['upper case in the name', `spiffe://trustdomain/worker/${uuid.toUpperCase()}`],
  ['line feed at the end', `spiffe://trustdomain/worker/${uuid}\n`],
  ['space before', ` spiffe://trustdomain/worker/${uuid}`],
  ['wide character', `spiffe://trustdomaın/worker/${uuid}`],
  ['a label as an agent', 'spiffe://trustdomain/worker/name'],
])('refuses %s', (_, text) => {
  expect(accepts(text)).toBe(false)
})

test('lengths: trust domain 255, type 32, label 63 and one more of each', () => {
  const of = (domain: number, type: number) => `spiffe://${'d'.repeat(domain)}/${'t'.repeat(type)}/${uuid}`
  expect([of(255, 32), of(256, 32), of(255, 33), of(0, 1), of(1, 0)].map(accepts)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ])
  expect(accepts(`spiffe://d/admin/${'n'.repeat(63)}`)).toBe(true)
  expect(accepts(`spiffe://d/admin/${'n'.repeat(64)}`)).toBe(false)
  expect(() => parseSpiffeId(`spiffe://${'d'.repeat(2040)}`)).toThrow('2,048')
})

const chars = (set: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...set), minLength: 1, maxLength })

test('what is built from parts is read back as those parts', () => {
  const agent = fc.record({
    trustDomain: chars(trustDomainChars, 255),
    type: chars(ownPathChars, 32).filter(isAgentType),
    name: fc.uuid(),
  })
  const workload = fc.record({
    trustDomain: chars(trustDomainChars, 255),
    type: fc.constantFrom(...reservedTypes),
    name: chars(ownPathChars, 63),
  })
  fc.assert(
    fc.property(fc.oneof(agent, workload), (id) => {
      expect(parseSpiffeId(formatSpiffeId(id))).toEqual(id)
    }),
  )
})

test('what is read is written back as it stood', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab/:.A%') }), (text) => {
      for (const candidate of [text, `spiffe://a/admin/${text}`, `spiffe://${text}/admin/a`]) {
        if (accepts(candidate)) expect(formatSpiffeId(parseSpiffeId(candidate))).toBe(candidate)
      }
    }),
  )
})

test('parts cannot smuggle other parts in', () => {
  for (const part of ['a/b', 'a?b', 'a#b', 'a@b', '', '..', 'A']) {
    expect(() => formatSpiffeId({ trustDomain: 'a', type: part, name: uuid })).toThrow(InvalidSpiffeIdError)
    expect(() => formatSpiffeId({ trustDomain: 'a', type: 'worker', name: part })).toThrow(
      InvalidSpiffeIdError,
    )
    expect(() => formatSpiffeId({ trustDomain: 'a', type: 'admin', name: part })).toThrow(
      InvalidSpiffeIdError,
    )
    if (part !== '..')
      expect(() => formatSpiffeId({ trustDomain: part, type: 'admin', name: 'a' })).toThrow(
        InvalidSpiffeIdError,
      )
  }
})
