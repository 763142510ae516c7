import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deploymentId } from './deployment.ts'
import type { Hex } from './hex.ts'
import { InvalidSpiffeIdError } from './spiffeId.ts'
import { InvalidSvidError, readSvidClaims, type SubjectAttribute, svidSubject } from './svidSubject.ts'

const uri = 'spiffe://killswitch.test/worker/5c146b14-3c52-8afd-938a-375d0df1fbf6'
const serviceUri = 'spiffe://killswitch.test/service/api'
const deployment = { chainId: 31337, contract: `0x${'ab'.repeat(20)}` as Hex }
const owner: Hex = `0x${'cd'.repeat(20)}`
const subject = svidSubject({ owner, deployment, generation: 7 })

test('what is written is read back', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 0, max: 2 ** 48 - 1 }),
      fc.boolean(),
      (chain, generation, isAgent) => {
        const at = { chainId: chain + 1, contract: deployment.contract }
        const written = svidSubject({ owner: isAgent ? owner : null, deployment: at, generation })
        expect(readSvidClaims([isAgent ? uri : serviceUri], written)).toMatchObject({
          owner: isAgent ? owner : null,
          deployment: deploymentId(at),
          generation,
        })
      },
    ),
  )
})

test('attributes of other meaning and another order do not matter', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray([...subject, { type: 'CN', value: 'x' }], { minLength: 4 }),
      (shuffled) => {
        expect(readSvidClaims([uri], shuffled).generation).toBe(7)
      },
    ),
  )
})

const without = (type: string) => subject.filter((attribute) => attribute.type !== type)
const having = (type: string, value: string): readonly SubjectAttribute[] => [
  ...without(type),
  { type, value },
]
test.each<[string, readonly string[], readonly SubjectAttribute[], string]>([
  ['no URI', [], subject, 'subjectAltName'],
  ['two URIs', [uri, uri], subject, 'subjectAltName'],
  ['no OU', [uri], without('OU'), 'OU'],
  ['two OUs', [uri], [...subject, ...subject.slice(0, 1)], 'OU'],
  ['no generation', [uri], without('serialNumber'), 'serialNumber'],
  ['two generations', [uri], [...subject, { type: 'serialNumber', value: '9' }], 'serialNumber'],
  ...['', '-1', '01', '1e3', ' 1', '0x1', '1.0', 'NaN', '1\n', '1'.repeat(16)].map(
    (value): [string, readonly string[], readonly SubjectAttribute[], string] => [
      `generation ${JSON.stringify(value)}`,
      [uri],
      having('serialNumber', value),
      'serialNumber',
    ],
  ),
  ['no owner', [uri], without('UID'), 'UID'],
  ['two owners', [uri], [...subject, { type: 'UID', value: owner }], 'UID'],
  ['owner in upper case', [uri], having('UID', `0x${'CD'.repeat(20)}`), 'UID'],
  ['zero owner', [uri], having('UID', `0x${'0'.repeat(40)}`), 'UID'],
  ['a workload with an owner', [serviceUri], subject, 'UID'],
])('refuses %s', (_, uris, attributes, field) => {
  expect(() => readSvidClaims(uris, attributes)).toThrow(
    expect.objectContaining({ name: 'InvalidSvidError', field }),
  )
  expect(() => readSvidClaims(uris, attributes)).toThrow(InvalidSvidError)
})

test('refuses a URI that is no SPIFFE ID of Killswitch', () => {
  expect(() => readSvidClaims(['spiffe://Killswitch.test/worker/a'], subject)).toThrow(InvalidSpiffeIdError)
})
