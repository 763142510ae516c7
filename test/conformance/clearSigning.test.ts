// What wallets show of each call and each signed message (ERC-7730, contracts/clear-signing/) against the contracts
// themselves: a function, a parameter or a signed type that nobody described, or described wrongly, fails here.
import { globSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type AbiFunction, type AbiParameter, keccak256, stringToBytes } from 'viem'
import { describe, expect, test } from 'vitest'
import { emergencyGovernorAbi } from '../../protocol/generated/emergencyGovernorAbi.ts'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import { policyGovernorAbi } from '../../protocol/generated/policyGovernorAbi.ts'
import { policyTimelockAbi } from '../../protocol/generated/policyTimelockAbi.ts'
import { subscriptionsAbi } from '../../protocol/generated/subscriptionsAbi.ts'
import { killOrderTypedData, killOrderTypeHash } from '../../protocol/order.ts'
import { Rank } from '../../protocol/rank.ts'
import { firstReservedReason, Reason, reasonName } from '../../protocol/reason.ts'
import { scopes } from '../../protocol/scope.ts'

const contracts = path.resolve(import.meta.dirname, '../../contracts')
const openZeppelin = path.resolve(import.meta.dirname, '../../node_modules/@openzeppelin/contracts')

const never = {
  callback: 'a token contract calls it when it sends something',
  disabled: 'it always reverts',
  governor: 'only the PolicyGovernor may call it, and does so by itself',
  powerless: 'there is no admin, and the one holder of roles has no call of it',
} as const
const callbacks = {
  onERC721Received: never.callback,
  onERC1155Received: never.callback,
  onERC1155BatchReceived: never.callback,
}

/**
 * Every contract that a wallet or a vote calls, and the functions that nobody ever signs a call of. What only a vote may
 * call is described as well: wallets show it inside the proposal that carries it.
 */
const calls: readonly {
  readonly name: string
  readonly abi: readonly { readonly type: string }[]
  readonly unsigned: Readonly<Record<string, string>>
}[] = [
  { name: 'KillSwitch', abi: killSwitchAbi, unsigned: {} },
  { name: 'KillPolicies', abi: killPoliciesAbi, unsigned: {} },
  { name: 'KillswitchToken', abi: killswitchTokenAbi, unsigned: {} },
  { name: 'Subscriptions', abi: subscriptionsAbi, unsigned: {} },
  { name: 'PolicyGovernor', abi: policyGovernorAbi, unsigned: { ...callbacks, relay: never.disabled } },
  {
    name: 'EmergencyGovernor',
    abi: emergencyGovernorAbi,
    unsigned: { ...callbacks, relay: never.disabled, queue: never.disabled },
  },
  {
    name: 'PolicyTimelock',
    abi: policyTimelockAbi,
    unsigned: {
      ...callbacks,
      ...{ schedule: never.governor, scheduleBatch: never.governor, cancel: never.governor },
      ...{ grantRole: never.powerless, revokeRole: never.powerless, renounceRole: never.powerless },
    },
  },
]

/** Every domain of signed messages: the sources that verify its types, and the spelling of its name and version in sources. */
const messages: readonly {
  readonly name: string
  readonly verifiedIn: readonly string[]
  readonly spelt: (name: string, version: string) => readonly (readonly [source: string, text: string])[]
}[] = [
  {
    name: 'KillSwitch',
    verifiedIn: [path.join(contracts, 'agents/KillSwitch.sol')],
    spelt: (name, version) => [
      [path.join(contracts, 'agents/AgentRegistry.sol'), `EIP712("${name}", "${version}")`],
    ],
  },
  {
    name: 'ERC8004IdentityRegistry',
    verifiedIn: [path.join(contracts, 'agents/AgentRegistry.sol')],
    spelt: (name, version) => [
      [path.join(contracts, 'agents/AgentRegistry.sol'), `ERC8004_NAME = "${name}"`],
      [path.join(contracts, 'agents/AgentRegistry.sol'), `ERC8004_VERSION = "${version}"`],
    ],
  },
  ...['PolicyGovernor', 'EmergencyGovernor'].map((governor) => ({
    name: governor,
    verifiedIn: [path.join(openZeppelin, 'governance/Governor.sol')],
    spelt: (name: string, version: string) =>
      [
        [path.join(contracts, `governance/${governor}.sol`), `Governor("${name}")`],
        [path.join(openZeppelin, 'governance/Governor.sol'), `return "${version}";`],
      ] as const,
  })),
  {
    name: 'KillswitchToken',
    verifiedIn: [
      path.join(openZeppelin, 'governance/utils/Votes.sol'),
      path.join(openZeppelin, 'token/ERC20/extensions/ERC20Permit.sol'),
    ],
    spelt: (name, version) => [
      [path.join(contracts, 'token/KillswitchToken.sol'), `ERC20Permit("${name}")`],
      [path.join(openZeppelin, 'token/ERC20/extensions/ERC20Permit.sol'), `EIP712(name, "${version}")`],
    ],
  },
]

type Field = {
  readonly path: string
  readonly label: string
  readonly format: string
  readonly visible?: 'never' | 'always' | 'optional'
  readonly params?: Readonly<Record<string, unknown>>
}
/** Arrays of equal length, shown index by index. */
type Bundle = {
  readonly label: string
  readonly iteration: 'bundled'
  readonly fields: readonly Field[]
}
type Format = {
  readonly intent: string
  readonly interpolatedIntent?: string
  readonly fields: readonly (Field | Bundle)[]
}
type Descriptor = {
  readonly context: {
    readonly eip712?: { readonly domain: { readonly name: string; readonly version: string } }
  }
  readonly metadata: { readonly enums?: Readonly<Record<string, Readonly<Record<string, string>>>> }
  readonly display: { readonly formats: Readonly<Record<string, Format>> }
}

const read = (name: string): Descriptor =>
  JSON.parse(readFileSync(path.join(contracts, 'clear-signing', name), 'utf8'))

/** ERC-7730, Contract keys: canonical types, names, no spaces after commas. */
const typeOf = ({ type, ...rest }: AbiParameter): string =>
  'components' in rest ? `(${parameters(rest.components)})${type.slice('tuple'.length)}` : type
const parameters = (list: readonly AbiParameter[]): string =>
  list.map((one) => `${typeOf(one)} ${one.name}`).join(',')

/** Every value that is signed, by its path, with its type. */
function leaves(list: readonly AbiParameter[], above = ''): readonly (readonly [string, string])[] {
  return list.flatMap(({ name, type, ...rest }) => {
    const at = `${above}${name}${type.endsWith('[]') ? '.[]' : ''}`
    return 'components' in rest
      ? leaves(rest.components, `${at}.`)
      : [[at, type.replace(/\[\]$/, '')] as const]
  })
}

const keyOf = ({ name, inputs }: AbiFunction): string => `${name}(${parameters(inputs)})`

/** The functions of an ABI that change something. */
const functionsOf = (abi: readonly { readonly type: string }[]): readonly AbiFunction[] =>
  abi
    .filter((item): item is AbiFunction => item.type === 'function')
    .filter(({ stateMutability }) => stateMutability !== 'view' && stateMutability !== 'pure')

/** The types that sources verify signatures of, as they spell them. */
const signedTypesIn = (files: readonly string[]): readonly string[] =>
  files
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/keccak256\(\s*((?:"[^"]*"\s*)+)\)/g)])
    // Long ones are several literals in a row.
    .map(([, literals]) => (literals as string).replace(/"\s*"|^"|"\s*$/g, ''))
    .filter((text) => /^[A-Z]\w*\(/.test(text) && !text.startsWith('EIP712Domain('))

const fieldsOfType = (type: string): readonly (readonly [string, string])[] =>
  (/\((.*)\)/.exec(type)?.[1] ?? '').split(',').map((one) => {
    const [kind = '', name = ''] = one.split(' ')
    return [name, kind]
  })

const described = [
  ...calls.map(({ name, abi, unsigned }) => ({
    file: `calldata-${name}.json`,
    types: new Map(
      functionsOf(abi)
        .filter((item) => !Object.hasOwn(unsigned, item.name))
        .map((item) => [keyOf(item), leaves(item.inputs)]),
    ),
  })),
  ...messages.map(({ name, verifiedIn }) => ({
    file: `eip712-${name}.json`,
    types: new Map(signedTypesIn(verifiedIn).map((type) => [type, fieldsOfType(type)])),
  })),
].map((one) => ({ ...one, descriptor: read(one.file) }))

const descriptorOf = (file: string): Descriptor =>
  described.find((one) => one.file === file)?.descriptor ?? read(file)
const [calldata, orders] = [descriptorOf('calldata-KillSwitch.json'), descriptorOf('eip712-KillSwitch.json')]

const all = described.flatMap(({ file, types, descriptor: { display, metadata } }) =>
  Object.entries(display.formats).map(([key, format]) => ({
    ...{ file, key, format, types: new Map(types.get(key)), enums: metadata.enums ?? {} },
    fields: format.fields.flatMap((one) => ('iteration' in one ? one.fields : [one])),
  })),
)

const fits: Readonly<Record<string, RegExp>> = {
  raw: /./,
  addressName: /^address$/,
  enum: /^uint(8|16)$/,
  date: /^uint(64|256)$/,
  duration: /^uint(32|48|256)$/,
  nftName: /^uint256$/,
  tokenAmount: /^uint256$/,
  amount: /^uint256$/,
  unit: /^uint(16|256)$/,
  calldata: /^bytes$/,
}

describe('ERC-7730 descriptors', () => {
  test.each(described)('$file describes all that is signed, and nothing else', ({ types, descriptor }) => {
    expect(Object.keys(descriptor.display.formats).toSorted()).toEqual([...types.keys()].toSorted())
  })

  test('there is one for every contract and every domain', () => {
    expect(readdirSync(path.join(contracts, 'clear-signing')).toSorted()).toEqual(
      described.map(({ file }) => file).toSorted(),
    )
    const ownTypes = signedTypesIn(
      globSync('**/*.sol', { cwd: contracts }).map((file) => path.join(contracts, file)),
    )
    expect(ownTypes.filter((type) => !described.some(({ types }) => types.has(type)))).toEqual([])
  })

  test.each(calls)('of $name leave out functions that there are', ({ abi, unsigned }) => {
    const names = functionsOf(abi).map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(Object.keys(unsigned)))
  })

  test('bind orders to the type and the domain that are signed', () => {
    const [type = ''] = Object.keys(orders.display.formats)
    expect(keccak256(stringToBytes(type))).toBe(killOrderTypeHash)
    const { domain } = killOrderTypedData({ chainId: 1, contract: '0x' } as never, {} as never)
    expect(orders.context.eip712?.domain).toEqual({ name: domain.name, version: domain.version })
  })

  test.each(messages)('bind messages of $name to the domain that its sources spell', ({ name, spelt }) => {
    const { domain } = descriptorOf(`eip712-${name}.json`).context.eip712 ?? {}
    for (const [source, text] of spelt(domain?.name ?? '', domain?.version ?? ''))
      expect(readFileSync(source, 'utf8')).toContain(text)
  })

  test.each(all)(
    '$file: $key shows all that is signed, in a form that fits',
    ({ format, fields, types, enums }) => {
      expect(fields.map((field) => field.path).toSorted()).toEqual([...types.keys()].toSorted())
      for (const { path: at, format: form, visible, params, label } of fields) {
        expect(types.get(at), `${form} at ${at}`).toMatch(fits[form] ?? /^$/)
        expect(label).not.toBe('')
        // A signature says nothing to who sends it; everything else is shown.
        if (visible === 'never') expect(at).toMatch(/^(signatures?\b|[vrs]$)/)
        if (form === 'enum')
          expect(enums).toHaveProperty(String(params?.$ref).replace('$.metadata.enums.', ''))
        // What a parameter points to is in the same call, and of the type that it stands for.
        for (const [name, kind] of [
          ['calleePath', 'address'],
          ['amountPath', 'uint256'],
        ] as const)
          if (form === 'calldata') expect(types.get(String(params?.[name])), name).toBe(kind)
      }
      const shown = fields.filter(({ visible }) => visible === undefined).map((field) => field.path)
      for (const bundle of format.fields.filter((one) => 'iteration' in one)) {
        expect([bundle.iteration, bundle.label]).toEqual(['bundled', expect.stringMatching(/./)])
        for (const { path: at } of bundle.fields) expect(at).toContain('[]')
      }
      for (const [, at] of (format.interpolatedIntent ?? '').matchAll(/\{([^}]*)\}/g))
        expect(shown).toContain(at)
    },
  )

  test.each(['PolicyGovernor', 'EmergencyGovernor'])('name the votes of %s as they are counted', (name) => {
    const source = path.join(openZeppelin, 'governance/extensions/GovernorCountingSimple.sol')
    const [, list = ''] = /enum VoteType \{([^}]*)\}/.exec(readFileSync(source, 'utf8')) ?? []
    const votes = Object.fromEntries(list.split(',').map((one, number) => [String(number), one.trim()]))
    for (const kind of ['calldata', 'eip712'])
      expect(descriptorOf(`${kind}-${name}.json`).metadata.enums?.support).toEqual(votes)
  })

  test.each([
    ['calls', calldata],
    ['orders', orders],
  ])('name scopes, ranks and reasons of %s as the protocol numbers them', (_, { metadata }) => {
    const { scope, reason, rank } = metadata.enums ?? {}
    expect(Object.keys(scope ?? {}).map(Number)).toEqual(scopes)
    expect(Object.entries(reason ?? {}).map(([code, words]) => [Number(code), words.toLowerCase()])).toEqual(
      Object.values(Reason)
        .filter((code) => code < firstReservedReason)
        .map((code) => [code, reasonName(code)]),
    )
    if (rank !== undefined)
      expect(
        Object.fromEntries(Object.entries(rank).map(([number, name]) => [name, Number(number)])),
      ).toEqual(Object.fromEntries(Object.entries(Rank).filter(([, number]) => number !== Rank.None)))
  })
})
