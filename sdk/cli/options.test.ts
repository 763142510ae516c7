import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type OptionSpec, parseEnvironment, parseFlags } from './options.ts'
import { addressOf, integerOf, readSettings, urlOf } from './settings.ts'

const specs: readonly OptionSpec[] = [
  { name: 'rpc', value: 'url', help: '', env: 'T_RPC', config: 'rpc' },
  { name: 'key-file', value: 'file', help: '', env: 'T_KEY', config: 'keyFile' },
  { name: 'keystore', value: 'file', help: '', config: 'keystore' },
  { name: 'tag', value: 'text', help: '', multiple: true },
  { name: 'yes', short: 'y', help: '', env: 'T_YES', config: 'yes' },
  { name: 'config', value: 'file', help: '' },
]

const folder = mkdtempSync(path.join(tmpdir(), 'killswitch-options-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const write = (name: string, content: unknown): string => {
  const file = path.join(folder, name)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

test('reads options before and after arguments, in both spellings', () => {
  const { arguments: words, settings } = parseFlags(
    ['-y', 'kill', '--rpc', 'http://a', 'x', '--tag=1', '--tag', '2', '--', '--rpc'],
    specs,
  )
  expect(words).toEqual(['kill', 'x', '--rpc'])
  expect(settings.get('yes')).toEqual([{ value: 'true', source: '-y' }])
  expect(settings.get('rpc')?.[0]?.value).toBe('http://a')
  expect(settings.get('tag')?.map(({ value }) => value)).toEqual(['1', '2'])
})

test.each([
  [['--nope'], '--nope is no option'],
  [['--rcp', 'x'], '--rcp is no option; did you mean --rpc?'],
  [['-x'], '-x is no option'],
  [['--rpc'], '--rpc needs a value'],
  [['--rpc', '--yes'], '--rpc needs a value'],
  [['--rpc='], '--rpc needs a value'],
  [['--yes=no'], '--yes takes no value'],
  [['--rpc', 'a', '--rpc', 'b'], '--rpc is given twice'],
])('stops at %j', (args, why) => {
  expect(() => parseFlags(args, specs)).toThrow(why)
})

test('an empty variable is unset, and a switch is 0 or 1', () => {
  expect(parseEnvironment({ T_RPC: '', T_YES: '0' }, specs).size).toBe(0)
  expect(parseEnvironment({ T_YES: '1' }, specs).has('yes')).toBe(true)
  expect(() => parseEnvironment({ T_YES: 'on' }, specs)).toThrow('T_YES must be 0 or 1')
})

test('flags win over the environment, the environment over the file', () => {
  const config = write('a.json', { rpc: 'http://file', keyFile: 'k', keyFiles: { alice: 'keys/a' } })
  const read = (args: string[], env = {}) =>
    readSettings([...args, '--config', config], specs, { cwd: '/', env })
  expect(read(['--rpc', 'http://flag'], { T_RPC: 'http://env' }).get('rpc')?.value).toBe('http://flag')
  expect(read([], { T_RPC: 'http://env' }).get('rpc')?.value).toBe('http://env')
  expect(read([]).get('rpc')?.value).toBe('http://file')
  // Paths of a file count from its folder.
  expect(read([]).get('key-file')?.value).toBe(path.join(folder, 'k'))
  expect(read([]).keyFiles).toEqual({ alice: path.join(folder, 'keys/a') })
})

test('options that belong together come from one source', () => {
  const config = write('b.json', { keyFile: 'k' })
  const settings = readSettings(['--keystore', 's', '--config', config], specs, { cwd: '/', env: {} })
  expect([...settings.together('key-file', 'keystore').keys()]).toEqual(['keystore'])
})

test.each([
  ['no JSON', '{', 'is no JSON'],
  ['no object', [], 'is no JSON object'],
  ['an unknown key', { rcp: 'x' }, 'rcp in'],
  ['a wrong kind', { rpc: true }, 'must be a string'],
  ['keys that are no files', { keyFiles: { a: 1 } }, 'keyFiles in'],
])('stops at a configuration with %s', (_what, content, why) => {
  const config = write('c.json', content)
  expect(() => readSettings(['--config', config], specs, { cwd: '/', env: {} })).toThrow(why)
})

test('the file of a local start is picked up where it stands, whatever else is in it', () => {
  const cwd = mkdtempSync(path.join(folder, 'cwd-'))
  expect(readSettings([], specs, { cwd, env: {} }).get('rpc')).toBeUndefined()
  mkdirSync(path.join(cwd, '.killswitch'))
  writeFileSync(path.join(cwd, '.killswitch', 'local.json'), '{"rpc":"http://local","something":1}')
  expect(readSettings([], specs, { cwd, env: {} }).get('rpc')?.value).toBe('http://local')
})

test('a configuration that is named but missing stops it', () => {
  expect(() => readSettings(['--config', 'none.json'], specs, { cwd: folder, env: {} })).toThrow(
    'none.json cannot be read',
  )
})

test('values are checked and named by their source', () => {
  const setting = (value: string) => ({ value, source: 'T' })
  expect(urlOf(setting('http://127.0.0.1:1/'))).toBe('http://127.0.0.1:1')
  expect(() => urlOf(setting('127.0.0.1:1'))).toThrow('T must be an address that starts with')
  expect(() => urlOf(setting('ftp://a'))).toThrow('T must be')
  expect(addressOf(setting('0x5FbDB2315678afecb367f032d93F642f64180aa3'))).toBe(
    '0x5fbdb2315678afecb367f032d93f642f64180aa3',
  )
  expect(() => addressOf(setting('0x5FBDB2315678afecb367f032d93F642f64180aa3'))).toThrow('wrong checksum')
  expect(() => addressOf(setting('0x5f'))).toThrow('T must be an address')
  expect(integerOf(setting('7'), 7, 7)).toBe(7)
  for (const value of ['6', '8', '7.0', '-7', '0x7', '']) {
    expect(() => integerOf(setting(value), 7, 7)).toThrow('T must be a whole number from 7 to 7')
  }
})
