import { expect, test } from 'vitest'
import { OptionError, readNodeOptions } from './options.ts'

const address = (digits: string) => `0x${digits.repeat(20)}`
const needed = [
  ...['--rpc', 'http://127.0.0.1:8545', '--contract', address('C0'), '--chain-id', '1'],
  ...['--trust-domain', 'killswitch.test'],
]

test.each(['kill-policies', 'subscriptions'])('--%s is an address, in any case, or none', (option) => {
  const field = option === 'kill-policies' ? 'killPolicies' : 'subscriptions'
  expect(readNodeOptions(needed, {})[field]).toBeNull()
  expect(readNodeOptions([...needed, `--${option}`, address('5B')], {})[field]).toBe(address('5b'))
  const name = `KILLSWITCH_${option.toUpperCase().replace('-', '_')}`
  expect(readNodeOptions(needed, { [name]: address('5b') })[field]).toBe(address('5b'))
  for (const wrong of ['0x12', 'subscriptions.eth', `${address('5b')}00`])
    expect(() => readNodeOptions([...needed, `--${option}`, wrong], {})).toThrow(
      new OptionError(`--${option}`, `"${wrong}" is no address`),
    )
})
