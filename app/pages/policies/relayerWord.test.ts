import { expect, test } from 'vitest'
import type { Hex } from '../../../protocol/hex.ts'
import type { RelayerPolicies } from '../../api/relayerApi.ts'
import { relayerWord } from './relayerWord.ts'

const killPolicies: Hex = `0x${'6a'.repeat(20)}`
const answer = (
  seen: number | null,
  granted: number | null,
  contract: Hex = killPolicies,
): RelayerPolicies => ({
  contract,
  readTo: { number: 77 },
  failure: null,
  policies: [
    {
      agentType: null,
      seen: seen === null ? null : { version: seen },
      granted: granted === null ? null : { version: granted },
    },
  ],
})
const word = (data: RelayerPolicies | undefined, error: unknown = null) =>
  relayerWord({ data, error }, killPolicies, null)

test('a version that is granted is the one that it goes by', () => {
  expect(word(answer(2, 2))).toEqual({ isTold: true, words: 'goes by version 2. Read up to block 77.' })
})

test('a version that is only seen is not called the one that it goes by', () => {
  expect(word(answer(3, 2)).words).toBe(
    'has seen version 3; looser limits wait until the chain is final. Until then version 2 holds where it is tighter. Read up to block 77.',
  )
  expect(word(answer(1, null)).words).toBe(
    'has seen version 1; looser limits wait until the chain is final. Read up to block 77.',
  )
})

test('an answer that is followed by none is not repeated', () => {
  expect(word(answer(2, 2), new Error('down'))).toEqual({
    isTold: false,
    words: expect.stringMatching(/^it does not tell/),
  })
})

test('the word of a relayer that follows another contract is none about this one', () => {
  expect(word(answer(2, 2, `0x${'99'.repeat(20)}`))).toMatchObject({
    isTold: false,
    words: expect.stringMatching(/another contract/),
  })
  // However it writes the address.
  expect(word(answer(2, 2, `0x${'6A'.repeat(20)}`)).isTold).toBe(true)
})

test('of a policy that it does not know it names no version', () => {
  expect([word(answer(null, null)), word(undefined)]).toEqual([
    { isTold: false, words: 'it names no version' },
    { isTold: false, words: 'being asked …' },
  ])
  expect(relayerWord({ data: answer(2, 2), error: null }, killPolicies, 'trader').isTold).toBe(false)
})
