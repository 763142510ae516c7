import { describe, expect, it } from 'vitest'
import { type Flags, helpText, readOptions } from './readOptions.ts'
import { SetupError } from './setupError.ts'

const flags = {
  agents: { value: 'number', fallback: 6, least: 2, most: 10, help: 'how many' },
  data: { value: 'folder', help: 'where' },
  keep: { help: 'leave it' },
} as const satisfies Flags

describe('readOptions', () => {
  it('reads values, switches and defaults', () => {
    const options = readOptions(['--data', 'x', '--keep'], flags)
    expect([options.number('agents'), options.text('data'), options.has('keep')]).toEqual([6, 'x', true])
    expect(readOptions(['--agents=2'], flags).number('agents')).toBe(2)
    expect(readOptions([], flags).has('keep')).toBe(false)
  })

  it.each([
    [['--agents', '1'], '--agents 1: it must be a whole number from 2 to 10'],
    [['--agents', '11'], '--agents 11'],
    [['--agents', '2.5'], '--agents 2.5'],
    [['--agents', 'x'], '--agents x'],
    [['--agents'], '--agents needs a value'],
    [['--data', ''], '--data needs a value'],
    [['--keep=yes'], '--keep takes no value'],
    [['--agent', '3'], '--agent is no option'],
    [['--toString'], '--toString is no option'],
    [['6'], '"6" is an argument too many'],
  ])('refuses %j by name', (args, message) => {
    expect(() => readOptions(args, flags)).toThrow(SetupError)
    expect(() => readOptions(args, flags)).toThrow(message)
  })

  it('explains every flag', () => {
    expect(helpText('use', flags)).toBe(
      [
        'use',
        '',
        '  --agents <number>       how many (default 6)',
        '  --data <folder>         where',
        '  --keep                  leave it',
      ].join('\n'),
    )
  })
})
