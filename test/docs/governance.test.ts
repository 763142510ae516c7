// docs/governance.md says what the code says: every policy field with default and bounds, every setting, every cost.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import {
  emergencyGovernorBounds,
  localPace,
  policyGovernorBounds,
  publicPace,
} from '../../protocol/governance/settings.ts'
import { limitBounds } from '../../protocol/policy/bounds.ts'
import { initialPolicy, limitNames, tighterSides } from '../../protocol/policy/killPolicy.ts'

const root = path.resolve(import.meta.dirname, '../..')
const text = readFileSync(path.join(root, 'docs/governance.md'), 'utf8')
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
const row = (start: string): readonly string[] => {
  const found = rows.filter(([first]) => first === start || first?.startsWith(`${start} (`))
  expect(found, start).toHaveLength(1)
  return found[0] as readonly string[]
}

test('every limit of a policy: default, least, most, tighter side', () => {
  const minCooldown = 300
  const bounds = limitBounds(initialPolicy.limits, minCooldown)
  const { limits } = initialPolicy
  /** Bounds that are other fields. */
  const words: Readonly<Record<string, number>> = {
    ...Object.fromEntries(limitNames.map((name) => [`\`${name}\``, limits[name]])),
    ...Object.fromEntries(limitNames.map((name) => [`\`${name}\` + 1`, limits[name] + 1])),
    '`minCooldown` of the KillSwitch': minCooldown,
  }
  const number = (cell: string | undefined) => words[cell ?? ''] ?? Number(cell)
  for (const name of limitNames) {
    const [, , , initial, least, most, tighter] = row(`\`${name}\``)
    expect([name, Number(initial), number(least), number(most)]).toEqual([
      name,
      limits[name],
      bounds[name].least,
      bounds[name].most,
    ])
    expect(tighter?.startsWith(tighterSides[name]), name).toBe(true)
  }
})

test('every setting of the governors: bounds that are numbers, and both paces', () => {
  const shares: Readonly<Record<string, number>> = {
    'a millionth of the supply': 1,
    'a fiftieth': 20_000,
    'a thousandth': 1000,
  }
  const number = (cell: string | undefined) =>
    shares[cell ?? ''] ?? Number(/^\d+/.exec(cell ?? '')?.[0] ?? Number.NaN)
  const check = (
    which: 'policy' | 'emergency',
    bounds: Readonly<Record<string, { readonly least: number; readonly most: number }>>,
  ) => {
    for (const [name, range] of Object.entries(bounds)) {
      const [, least, most, slow, local] = row(`${which} \`${name}\``)
      const floor = /^floor \((\d+)/.exec(least ?? '')?.[1]
      if (floor !== undefined)
        expect(Number(floor), name).toBe(publicPace[which].floors[name as 'votingDelay'])
      else if (!least?.startsWith('floor')) expect(number(least), name).toBe(range.least)
      if (!most?.startsWith('`')) expect(number(most), name).toBe(range.most)
      const values = (pace: typeof publicPace) => (pace[which] as unknown as Record<string, number>)[name]
      expect([number(slow), number(local)], name).toEqual([values(publicPace), values(localPace)])
    }
  }
  check('policy', policyGovernorBounds(publicPace.policy))
  // The bounds that depend on the other quorum are those of the two at their ends.
  check('emergency', emergencyGovernorBounds({ ...publicPace.emergency, quorum: 11, superQuorum: 50 }))
})

test('every cost is that of the snapshot, and every limit one that is held', () => {
  const read = (file: string) =>
    Object.values(
      JSON.parse(readFileSync(path.join(root, 'test/differential', file), 'utf8')) as Record<string, number>,
    )
  const costs = text.slice(text.indexOf('## What it costs')).match(/\d+,\d{3}\b/g) ?? []
  const known = new Set(
    [...read('governanceGas.json'), ...read('governanceGasLimits.json')].map((gas) =>
      gas.toLocaleString('en-US'),
    ),
  )
  expect(costs.length).toBeGreaterThan(20)
  expect(costs.filter((cost) => !known.has(cost))).toEqual([])
})
