import { expect, test } from 'vitest'
import { ConfigError, readConfig } from './config.ts'

const base = 'https://app.example/ipfs/hash/'
const good = {
  chainId: 1,
  contract: `0x${'Ab'.repeat(20)}`,
  fromBlock: 21_000_000,
  rpc: 'https://node.example/key',
  relayer: '/',
  relayerKey: 'A'.repeat(43),
  trustDomain: 'agents.example.org',
}

test('addresses are absolute, the contract in lower case, and what is left out has a fallback', () => {
  expect(readConfig(good, base)).toEqual({
    deployment: { chainId: 1, contract: `0x${'ab'.repeat(20)}` },
    chainName: 'chain 1',
    fromBlock: 21_000_000n,
    rpc: 'https://node.example/key',
    relayer: 'https://app.example',
    relayerKey: good.relayerKey,
    trustDomain: good.trustDomain,
    governance: null,
    developmentKeys: [],
  })
})

test.each([
  ['chainId', '1'],
  ['chainId', 0],
  ['contract', '0x12'],
  ['fromBlock', -1],
  ['rpc', 'javascript:alert(1)'],
  ['rpc', undefined],
  ['relayer', 'ftp://relayer.example'],
  ['relayerKey', 'short'],
  ['trustDomain', 'Not A Domain'],
])('%s = %j is refused by its name', (field, value) => {
  const read = () => readConfig({ ...good, [field]: value }, base)
  expect(read).toThrow(ConfigError)
  expect(read).toThrow(field)
})

const governance = {
  token: `0x${'01'.repeat(20)}`,
  policyGovernor: `0x${'02'.repeat(20)}`,
  timelock: `0x${'03'.repeat(20)}`,
  emergencyGovernor: `0x${'04'.repeat(20)}`,
  killSwitch: good.contract,
  killPolicies: `0x${'06'.repeat(20)}`,
  subscriptions: `0x${'FA'.repeat(20)}`,
}

test('the contracts that token holders govern are read whole, in lower case', () => {
  expect(readConfig({ ...good, governance }, base).governance).toEqual({
    ...governance,
    killSwitch: `0x${'ab'.repeat(20)}`,
    subscriptions: `0x${'fa'.repeat(20)}`,
  })
})

test.each([
  ['governance.timelock', { ...governance, timelock: undefined }],
  ['governance.token', 'text'],
  ['governance.killSwitch', { ...governance, killSwitch: `0x${'cc'.repeat(20)}` }],
])('%s: contracts that are not whole, or of another KillSwitch, are refused', (field, value) => {
  const read = () => readConfig({ ...good, governance: value }, base)
  expect(read).toThrow(ConfigError)
  expect(read).toThrow(field)
})

test.each([[null], ['text'], [[]]])('%j is no configuration', (json) => {
  expect(() => readConfig(json, base)).toThrow(ConfigError)
})
