// What wallets show of each call and each signed message (ERC-7730, contracts/clear-signing/) against the contract itself:
// a function, a parameter or a signed type that nobody described, or described wrongly, fails here.
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type AbiFunction, type AbiParameter, keccak256, stringToBytes } from 'viem'
import { describe, expect, test } from 'vitest'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killOrderTypedData, killOrderTypeHash } from '../../protocol/order.ts'
import { Rank } from '../../protocol/rank.ts'
import { firstReservedReason, Reason, reasonName } from '../../protocol/reason.ts'
import { scopes } from '../../protocol/scope.ts'

const contracts = path.resolve(import.meta.dirname, '../../contracts')

type Field = {
  readonly path: string
  readonly label: string
  readonly format: string
  readonly visible?: 'never' | 'always' | 'optional'
  readonly params?: Readonly<Record<string, unknown>>
}
type Format = {
  readonly intent: string
  readonly interpolatedIntent?: string
  readonly fields: readonly Field[]
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

const calls = read('calldata-KillSwitch.json')
const orders = read('eip712-KillSwitch.json')
const proofs = read('eip712-ERC8004IdentityRegistry.json')
const all = Object.entries({ calls, orders, proofs }).flatMap(([of, { display, metadata }]) =>
  Object.entries(display.formats).map(([key, format]) => ({ of, key, format, enums: metadata.enums ?? {} })),
)

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

const functions = (killSwitchAbi as readonly { readonly type: string }[])
  .filter((item): item is AbiFunction => item.type === 'function')
  .filter(({ stateMutability }) => stateMutability !== 'view' && stateMutability !== 'pure')
const typesOf = new Map<string, readonly (readonly [string, string])[]>(
  functions.map(({ name, inputs }) => [`${name}(${parameters(inputs)})`, leaves(inputs)]),
)

/** The types that the contracts verify signatures of, as their sources spell them. */
const signedTypes = globSync('**/*.sol', { cwd: contracts })
  .flatMap((file) => [
    ...readFileSync(path.join(contracts, file), 'utf8').matchAll(/keccak256\(\s*((?:"[^"]*"\s*)+)\)/g),
  ])
  // Long ones are several literals in a row.
  .map(([, literals]) => (literals as string).replace(/"\s*"|^"|"\s*$/g, ''))
  .filter((text) => /^[A-Z]\w*\(/.test(text) && !text.startsWith('EIP712Domain('))
for (const type of signedTypes) {
  const [, inner = ''] = /\((.*)\)/.exec(type) ?? []
  typesOf.set(
    type,
    inner.split(',').map((one) => {
      const [kind = '', name = ''] = one.split(' ')
      return [name, kind]
    }),
  )
}

const fits: Readonly<Record<string, RegExp>> = {
  raw: /./,
  addressName: /^address$/,
  enum: /^uint(8|16)$/,
  date: /^uint(64|256)$/,
  duration: /^uint32$/,
  nftName: /^uint256$/,
}

describe('ERC-7730 descriptors', () => {
  test('describe every call that changes something, and no other', () => {
    const described = Object.keys(calls.display.formats)
    expect(described.toSorted()).toEqual(
      functions.map(({ name, inputs }) => `${name}(${parameters(inputs)})`).toSorted(),
    )
  })

  test('describe every type that the contracts verify signatures of, and no other', () => {
    expect(
      [...Object.keys(orders.display.formats), ...Object.keys(proofs.display.formats)].toSorted(),
    ).toEqual(signedTypes.toSorted())
  })

  test('bind orders to the type and the domain that are signed', () => {
    const [type = ''] = Object.keys(orders.display.formats)
    expect(keccak256(stringToBytes(type))).toBe(killOrderTypeHash)
    const { domain } = killOrderTypedData({ chainId: 1, contract: '0x' } as never, {} as never)
    expect(orders.context.eip712?.domain).toEqual({ name: domain.name, version: domain.version })
    const source = readFileSync(path.join(contracts, 'agents/AgentRegistry.sol'), 'utf8')
    const { name, version } = proofs.context.eip712?.domain ?? {}
    expect(source).toContain(`ERC8004_NAME = "${name}"`)
    expect(source).toContain(`ERC8004_VERSION = "${version}"`)
  })

  test.each(all)('$of: $key shows all that is signed, in a form that fits', ({ key, format, enums }) => {
    const types = new Map(typesOf.get(key))
    expect(format.fields.map((field) => field.path).toSorted()).toEqual([...types.keys()].toSorted())
    for (const { path: at, format: form, visible, params, label } of format.fields) {
      expect(types.get(at), `${form} at ${at}`).toMatch(fits[form] ?? /^$/)
      expect(label).not.toBe('')
      // A signature says nothing to who sends it; everything else is shown.
      if (visible === 'never') expect(at).toMatch(/^signatures?\b/)
      if (form === 'enum') expect(enums).toHaveProperty(String(params?.$ref).replace('$.metadata.enums.', ''))
    }
    const shown = format.fields.filter(({ visible }) => visible === undefined).map((field) => field.path)
    for (const [, at] of (format.interpolatedIntent ?? '').matchAll(/\{([^}]*)\}/g))
      expect(shown).toContain(at)
  })

  test.each([
    ['calls', calls],
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
