// The rules of DESIGN, section 3, that the contract keeps: random calls against the model of it that the simulated chain
// runs, judged by what happened; and each rule left out of the model.
import { describe, expect, test } from 'vitest'
import { type ContractRule, contractRules } from './chain/contract.ts'
import { playContract } from './contractHistory.ts'

/** Seeds tried for each rule that is left out. */
const tries = 20

/** Where the first seed does not notice: one that does. */
const noticedBy: Partial<Record<ContractRule, number>> = {
  'a transferred agent stays for one cool-down': 16,
  'a dismissal takes one cool-down': 16,
  'former guardians keep their kill': 66,
  'the digest is burnt, not the nonce': 10,
}

test('the contract that the simulated chain runs keeps every rule', () => {
  for (let seed = 1; seed <= 30; seed++) expect(playContract(seed, new Set())).toBeNull()
})

describe('a rule of the contract that is left out is noticed', () => {
  test.each(contractRules)('%s', (rule) => {
    const first = noticedBy[rule] ?? 1
    let violation = null
    for (let seed = first; seed < first + tries && violation === null; seed++)
      violation = playContract(seed, new Set([rule]))
    expect(violation).not.toBeNull()
  })
})
