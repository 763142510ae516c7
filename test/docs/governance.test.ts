// docs/governance.md says what the code says: every policy field with default and bounds, every setting, every cool-down,
// what subscriptions are bound to, every cost.
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
import {
  defaultCooldowns,
  defaultMinCooldown,
  maxCooldown,
  maxMinCooldown,
} from '../../scripts/lib/deployContracts.ts'

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

/** The constants of a contract, and the bounds that it checks, as its source has them. */
function solidity(file: string) {
  const source = readFileSync(path.join(root, 'contracts', file), 'utf8')
  const only = (pattern: string): readonly string[] => {
    const found = [...source.matchAll(new RegExp(pattern, 'g'))]
    expect(found, pattern).toHaveLength(1)
    return found[0]?.slice(1) ?? []
  }
  const constant = (name: string): number => value(only(`constant ${name} = ([^;]+);`)[0] ?? '')
  /** A product of numbers, times and constants. */
  const value = (expression: string): number => {
    const uint = /^type\(uint(\d+)\)\.max$/.exec(expression)?.[1]
    if (uint !== undefined) return 2 ** Number(uint) - 1
    return expression
      .split(' * ')
      .map((factor) => {
        const [, number, days] = /^([\d_]+)( days)?$/.exec(factor) ?? []
        if (number === undefined) return constant(factor)
        return Number(number.replaceAll('_', '')) * (days === undefined ? 1 : 86_400)
      })
      .reduce((product, factor) => product * factor)
  }
  const bounds = (name: string) => {
    const [least = '', most = ''] = only(`Bounds\\.check\\("${name}", [^;]*, ([^,;]+), ([^,;]+)\\);`)
    return { least: () => value(least), most: () => value(most) }
  }
  return { constant, bounds }
}

test('every cool-down of the KillSwitch: bounds and default', () => {
  const { constant } = solidity('agents/KillSwitch.sol')
  expect([maxMinCooldown, maxCooldown]).toEqual([constant('MAX_MIN_COOLDOWN'), constant('MAX_COOLDOWN')])
  expect(row('`minCooldown`').slice(1, 5)).toEqual(
    ['seconds', 1, maxMinCooldown, defaultMinCooldown].map(String),
  )
  for (const [rank, cooldown] of Object.entries(defaultCooldowns))
    expect(row(`rank \`${rank}\``).slice(1, 5), rank).toEqual(
      ['seconds', '`minCooldown`', maxCooldown, cooldown].map(String),
    )
})

test('every setting of the subscriptions: bounds, and values at deployment', () => {
  const { bounds } = solidity('economy/Subscriptions.sol')
  const amount = (value: number) => value.toLocaleString('en-US')
  const days = (seconds: number) => `${amount(seconds / 86_400)} day${seconds === 86_400 ? '' : 's'}`
  const share = (basisPoints: number) => `${basisPoints / 100} %`
  const least = (name: string) => bounds(name).least()
  const most = (name: string) => bounds(name).most()
  const script = readFileSync(path.join(root, 'scripts/deploy.ts'), 'utf8')
  const deployed = (pattern: RegExp) => Number(pattern.exec(script)?.[1] ?? Number.NaN)
  const local = { interval: deployed(/\{ interval: (\d+),/), floor: deployed(/, leastInterval: (\d+) \} :/) }
  expect(script).toContain('leastInterval: day }')

  const price = most('price') === 2 ** 96 - 1 ? '2^96 - 1 smallest units' : 'another'
  const table: Readonly<Record<string, readonly string[]>> = {
    'plan: price': [`${least('price')}`, price, 'no plans'],
    'plan: period': [`${least('period')} s`, days(most('period')), ''],
    'plan: agent quota': [amount(least('agentQuota')), amount(most('agentQuota')), ''],
    'paid ahead': ['', days(most('paidAhead')), ''],
    discounts: [
      `${least('discounts')}, both fields growing`,
      `${most('discounts')}, each ${share(least('discount'))} to ${share(most('discount'))}`,
      'none',
    ],
    '`samples`': [`${least('samples')}`, `${most('samples')}`, `${deployed(/\bsamples: (\d+)/)}`],
    '`interval`': [
      `floor (1 day; local ${local.floor} s)`,
      days(most('sampleInterval')),
      `${deployed(/\{ interval: (\d+) \* day/)} days (local ${local.interval} s)`,
    ],
    'quota without a subscription': [
      amount(least('freeQuota')),
      amount(most('freeQuota')),
      `${deployed(/\bfreeQuota: (\d+)/)}`,
    ],
  }
  for (const [name, cells] of Object.entries(table)) expect(row(name).slice(1), name).toEqual(cells)
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
