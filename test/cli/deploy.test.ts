// The deployment script against a real chain: what it refuses, and that its proof is read from the chain.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createPublicClient, createWalletClient, http } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { deploy } from '../../scripts/deploy.ts'
import { startChain, type TestChain } from './support/chain.ts'
import { run } from './support/run.ts'

let chain: TestChain
let keyFile: string
let deployer: string
const folder = mkdtempSync(path.join(tmpdir(), 'killswitch-deploy-'))
const council = `0x${'c0'.repeat(20)}`
const governor = `0x${'e0'.repeat(20)}`

beforeAll(async () => {
  chain = await startChain()
  const { key, account } = await chain.newAccount()
  deployer = account.address
  keyFile = path.join(folder, 'deployer.key')
  writeFileSync(keyFile, key, { mode: 0o600 })
})
afterAll(async () => {
  await chain?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function script(...args: string[]) {
  let out = ''
  let err = ''
  const code = await deploy(args, {
    env: {},
    cwd: folder,
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    isTerminal: false,
    ask: () => Promise.resolve(''),
    now: Date.now,
    sleep: () => Promise.resolve(),
  })
  return { code, out, err }
}

const asked = () => [
  ...['--rpc', chain.rpc, '--trust-domain', 'killswitch.test', '--governance', chain.governance.address],
  ...['--council', council, '--emergency-governor', governor],
]

test('deploys, proves every power from the chain and writes a configuration that the CLI takes', async () => {
  const { code, out, err } = await script(
    ...asked(),
    '--key-file',
    keyFile,
    '--out',
    'chain.json',
    '--cooldown-owner',
    '1200',
  )
  expect([code, err]).toEqual([0, ''])
  for (const line of [
    `ok     governance            ${chain.governance.address.toLowerCase()}`,
    'ok     pending governance    nobody',
    `ok     council               ${council}`,
    `ok     emergency governor    ${governor}`,
    'ok     breakers              nobody',
    'ok     cool-down Owner       1200',
  ]) {
    expect(out).toContain(line)
  }
  expect(out).not.toContain('WRONG')
  const config = JSON.parse(readFileSync(path.join(folder, 'chain.json'), 'utf8')) as Record<string, unknown>
  expect(config).toMatchObject({ rpc: chain.rpc, chainId: 31337 })
  const status = await run(['status', '--config', 'chain.json', '--json'], { cwd: folder })
  expect(status.json).toMatchObject({ ok: true, contract: config.contract, active: 0, killed: 0 })
})

test('a power that is not where it was asked to be fails the proof, and is named', async () => {
  const { out } = await script(...asked(), '--key-file', keyFile, '--json')
  const { contract } = JSON.parse(out) as { contract: `0x${string}` }
  const check = (...args: string[]) => script(...asked(), '--check', '--contract', contract, ...args)
  expect((await check()).code).toBe(0)
  const wallet = createWalletClient({ account: chain.governance, transport: http(chain.rpc) })
  const call = { address: contract, abi: killSwitchAbi, chain: null } as const

  await wallet.writeContract({ ...call, functionName: 'setCouncil', args: [governor as `0x${string}`] })
  const moved = await check()
  expect(moved.code).toBe(3)
  expect(moved.out).toMatch(new RegExp(`WRONG +council +${governor} +should be ${council}`))
  expect(moved.out.match(/WRONG/g)).toHaveLength(1)
  await wallet.writeContract({ ...call, functionName: 'setCouncil', args: [council as `0x${string}`] })

  await wallet.writeContract({ ...call, functionName: 'setBreaker', args: [governor as `0x${string}`, true] })
  expect((await check()).code).toBe(3)
  expect((await check('--breaker', governor)).code).toBe(0)

  await wallet.writeContract({ ...call, functionName: 'offerGovernance', args: [governor as `0x${string}`] })
  const offered = await check('--breaker', governor)
  expect([offered.code, offered.out]).toEqual([3, expect.stringMatching(/WRONG +pending governance/)])
})

test.each([
  [['--governance', `0x${'0'.repeat(40)}`], 'governance must not be the zero address'],
  [['--trust-domain', 'Killswitch'], 'trustDomain must be'],
  [['--min-cooldown', '0'], '--min-cooldown must be a whole number from 1 to 86400'],
  [['--min-cooldown', '86401'], '--min-cooldown must be'],
  [['--cooldown-owner', '299'], '--cooldown-owner must be a whole number from 300 to 2592000'],
  [['--cooldown-council', '2592001'], '--cooldown-council must be'],
  [['--council', '0x12'], '--council must be an address'],
  [['--contract', council], '--contract goes with --check only'],
  [['--breaker', council], '--breaker goes with --check only'],
  [['--cooldown'], '--cooldown is no option'],
])('%j is refused before anything is sent', async (args, why) => {
  const base = { '--trust-domain': 'killswitch.test', '--governance': council }
  const rest = Object.entries(base).flatMap(([name, value]) => (args.includes(name) ? [] : [name, value]))
  // Nobody listens there: a script that sent anything would end with another exit code.
  const { code, err } = await script('--rpc', 'http://127.0.0.1:9', '--key-file', keyFile, ...rest, ...args)
  expect([code, err]).toEqual([2, expect.stringContaining(why)])
})

test('without network it says so', async () => {
  const { code, err } = await script(
    ...['--rpc', 'http://127.0.0.1:9', '--key-file', keyFile, '--trust-domain', 'a', '--governance', council],
  )
  expect([code, err]).toEqual([4, expect.stringContaining('http://127.0.0.1:9 cannot be reached')])
})

const holder = `0x${'d0'.repeat(20)}`
const voted = () => ['--rpc', chain.rpc, '--trust-domain', 'killswitch.test', '--holder', holder]
type Governed = {
  readonly ok: boolean
  readonly contract: `0x${string}`
  readonly contracts: Readonly<Record<string, `0x${string}`>>
  readonly powers: readonly { readonly name: string; readonly found: string; readonly ok: boolean }[]
}

test('under votes: everything is deployed, no deployer keeps a power, and the proof is read again by --check', async () => {
  const { code, out } = await script(...voted(), '--key-file', keyFile, '--council', council, '--json')
  const { ok, contract, contracts, powers } = JSON.parse(out) as Governed
  expect([code, ok]).toEqual([0, true])
  const found = Object.fromEntries(powers.map((power) => [power.name, power.found]))
  expect(found).toMatchObject({
    governance: contracts.timelock,
    'emergency governor': contracts.emergencyGovernor,
    council,
    'timelock proposer': contracts.policyGovernor,
    'timelock canceller': contracts.policyGovernor,
    'timelock executor': 'anyone',
    'timelock admin': 'nobody',
    'policy voting period': '432000',
    deployer: 'nothing',
  })

  const named = [
    ...['--policy-governor', contracts.policyGovernor ?? '', '--kill-policies', contracts.killPolicies ?? ''],
    ...['--subscriptions', contracts.subscriptions ?? ''],
  ]
  const check = (...args: string[]) =>
    script(...voted(), '--council', council, '--check', '--contract', contract, ...named, ...args)
  const emergency = ['--emergency-governor', contracts.emergencyGovernor ?? '']
  expect((await check(...emergency)).code).toBe(0)
  // Asked for otherwise, or not what it was said to be: named, and not done.
  const local = await check(...emergency, '--pace', 'local')
  expect(local.code).toBe(3)
  expect(local.out).toMatch(/WRONG +policy voting period +432000 +should be 15/)
  const other = await check(...emergency, '--supply', '5')
  expect([other.code, other.out]).toEqual([3, expect.stringMatching(/WRONG +supply/)])
})

test('under votes: a contract of other code is named, however well it answers', async () => {
  const { out } = await script(...voted(), '--key-file', keyFile, '--json')
  const { contract, contracts } = JSON.parse(out) as Governed
  const timelock = contracts.timelock as `0x${string}`
  const code = await createPublicClient({ transport: http(chain.rpc) }).getCode({ address: timelock })
  // A byte that is never reached.
  await chain.setCode(timelock, `${code ?? '0x'}00`)
  const check = await script(
    ...[...voted(), '--check', '--contract', contract, '--policy-governor', contracts.policyGovernor ?? ''],
    ...['--kill-policies', contracts.killPolicies ?? '', '--subscriptions', contracts.subscriptions ?? ''],
    ...['--emergency-governor', contracts.emergencyGovernor ?? ''],
  )
  expect(check.code).toBe(3)
  expect(check.out.match(/WRONG .*/g)).toEqual([
    expect.stringMatching(/PolicyTimelock code +other code +should be as compiled here/),
  ])
})

test('under votes: a deployer who kept a power is named, and it is not done', async () => {
  const { code, out } = await script(...voted(), '--key-file', keyFile, '--council', deployer, '--json')
  const { ok, powers } = JSON.parse(out) as Governed
  expect([code, ok]).toEqual([3, false])
  expect(powers.filter((power) => !power.ok).map(({ name, found }) => [name, found])).toEqual([
    ['deployer', 'council'],
  ])
})

test.each([
  [['--holder', holder, '--governance', council], '--governance does not go with --holder'],
  [['--holder', holder, '--emergency-governor', council], '--emergency-governor does not go with --holder'],
  [['--holder', holder, '--pace', 'fast'], '--pace must be public or local'],
  [['--holder', `0x${'0'.repeat(40)}`], 'must not be the zero address'],
  [['--governance', council, '--supply', '5'], '--supply goes with --holder'],
  [['--holder', holder, '--subscriptions', council], '--subscriptions goes with --check and --holder'],
  [['--holder', holder, '--check', '--contract', council], '--policy-governor is needed'],
  [[], '--holder is needed'],
])('%j is refused before anything is sent (votes)', async (args, why) => {
  const { code, err } = await script(
    ...['--rpc', chain.rpc, '--key-file', keyFile, '--trust-domain', 'killswitch.test', ...args],
  )
  expect([code, err]).toEqual([2, expect.stringContaining(why)])
})
