// The owner's command line against a real chain and a relayer that judges orders by the real rules.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createPublicClient, createWalletClient, type Hex, http } from 'viem'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { parseSpiffeId } from '../../protocol/spiffeId.ts'
import { agentIdFromUuid } from '../../protocol/uuid.ts'
import { cooldown, startChain, type TestChain } from './support/chain.ts'
import { run } from './support/run.ts'
import { type StandIn, startStandIn } from './support/standInRelayer.ts'

let chain: TestChain
let relayer: StandIn
let cwd: string
let owner: Hex
let keyFile: string
let strangerFile: string
let strangerAddress: Hex

const root = mkdtempSync(path.join(tmpdir(), 'killswitch-cli-'))

beforeAll(async () => {
  chain = await startChain()
  relayer = await startStandIn(chain.rpc, chain.deployed.deployment)
})
afterAll(async () => {
  await relayer?.close()
  await chain?.close()
  rmSync(root, { recursive: true, force: true })
})

async function newKeyFile(name: string): Promise<{ file: string; address: Hex }> {
  const { key, account } = await chain.newAccount()
  const file = path.join(cwd, name)
  writeFileSync(file, `${key}\n`, { mode: 0o600 })
  return { file, address: account.address.toLowerCase() as Hex }
}

beforeEach(async () => {
  cwd = mkdtempSync(path.join(root, 'cwd-'))
  const mine = await newKeyFile('owner.key')
  owner = mine.address
  keyFile = mine.file
  const other = await newKeyFile('stranger.key')
  strangerFile = other.file
  strangerAddress = other.address
  relayer.points = [
    { name: 'a', after: 0 },
    { name: 'b', after: 60 },
  ]
  relayer.requests.length = 0
  relayer.breakNext = 0
  relayer.isSilent = false
  relayer.stream = []
})

const onChain = () => ['--rpc', chain.rpc, '--contract', chain.deployed.deployment.contract]
const cli = (args: readonly string[], answers?: readonly string[], env?: Record<string, string>) =>
  run(args, { cwd, ...(answers === undefined ? {} : { answers }), ...(env === undefined ? {} : { env }) })

async function register(count = 1, type = 'trader'): Promise<string[]> {
  const { json, code, err } = await cli([
    'register',
    '--type',
    type,
    '--count',
    String(count),
    '--key-file',
    keyFile,
    '--json',
    ...onChain(),
  ])
  expect(err).not.toContain('killswitch:')
  expect(code).toBe(0)
  return (json.agents as { spiffeId: string }[]).map(({ spiffeId }) => spiffeId)
}

function isKilled(spiffeId: string): Promise<boolean> {
  return createPublicClient({ transport: http(chain.rpc) }).readContract({
    address: chain.deployed.deployment.contract,
    abi: killSwitchAbi,
    functionName: 'isKilled',
    args: [agentIdFromUuid(parseSpiffeId(spiffeId).name)],
  })
}

test('registers agents and keeps their keys to their owner', async () => {
  const [first, second] = await register(2)
  const folder = path.join(cwd, '.killswitch', 'agents')
  expect(readdirSync(folder).sort()).toEqual(
    [first, second].map((id) => `${parseSpiffeId(id as string).name}.pem`).sort(),
  )
  for (const file of readdirSync(folder)) {
    expect(statSync(path.join(folder, file)).mode & 0o777).toBe(0o600)
    expect(readFileSync(path.join(folder, file), 'utf8')).toContain('BEGIN PRIVATE KEY')
  }
  const { json, out } = await cli(['agents', '--wallet', owner, '--json', ...onChain()])
  expect(
    (json.agents as { spiffeId: string; killed: boolean }[]).map(({ spiffeId, killed }) => [
      spiffeId,
      killed,
    ]),
  ).toEqual([first, second].map((id) => [id, false]))
  expect(out.trim().split('\n')).toHaveLength(1)
})

test('a registration that is refused leaves no key behind', async () => {
  const [agent] = await register()
  expect((await cli(['kill', '--all', '--key-file', keyFile, ...onChain()])).code).toBe(0)
  const { code, err } = await cli(['register', '--type', 'trader', '--key-file', keyFile, ...onChain()])
  expect(code).toBe(3)
  expect(err).toContain('is killed: it registers nothing until it is resumed')
  expect(readdirSync(path.join(cwd, '.killswitch', 'agents'))).toEqual([
    `${parseSpiffeId(agent as string).name}.pem`,
  ])
})

test('registers a key that the agent keeps to itself', async () => {
  const key = '11'.repeat(32)
  const { json } = await cli([
    'register',
    '--type',
    'trader',
    '--public-key',
    key,
    '--key-file',
    keyFile,
    '--json',
    ...onChain(),
  ])
  expect(json.agents).toEqual([expect.objectContaining({ publicKey: `0x${key}`, keyFile: null })])
  expect(existsSync(path.join(cwd, '.killswitch'))).toBe(false)
})

test('kills one agent by a transaction: says so, asks, and touches no other', async () => {
  const [agent, other] = (await register(2)) as [string, string]
  const args = [
    'kill',
    agent,
    '--key-file',
    keyFile,
    '--reason',
    'compromised',
    '--text',
    'key leaked',
    ...onChain(),
  ]
  const no = await cli(args, ['n'])
  expect(no.code).toBe(6)
  expect(await isKilled(agent)).toBe(false)
  const yes = await cli(args, ['y'])
  expect(yes.code).toBe(0)
  expect(yes.questions).toEqual(['Stop it? [y/N] '])
  expect(yes.out).toContain('Will stop  1 agent now (according to the chain)')
  expect(yes.out).toContain(agent)
  expect(yes.out).toContain(`a transaction of ${owner}`)
  expect(yes.out).toContain('compromised: key leaked')
  expect(yes.out).not.toContain(other)
  expect(await isKilled(agent)).toBe(true)
  expect(await isKilled(other)).toBe(false)

  const { json } = await cli(['status', agent, '--json', ...onChain()])
  expect(json).toMatchObject({ ok: true, killed: true, scope: 'Agent', rank: 'Owner', reason: 1, owner })
})

test('--yes asks nothing', async () => {
  const [agent] = (await register()) as [string]
  const { code, questions } = await cli(['kill', agent, '--key-file', keyFile, '--yes', ...onChain()], [])
  expect([code, questions]).toEqual([0, []])
})

test('by transaction it then watches the kill at the relayer', async () => {
  const [agent] = (await register()) as [string]
  const watch = setInterval(async () => {
    if (!(await isKilled(agent))) return
    clearInterval(watch)
    const { transactions } = await createPublicClient({ transport: http(chain.rpc) }).getBlock()
    relayer.seeTransaction(transactions[0] as string)
  }, 20)
  const { code, json } = await cli([
    'kill',
    agent,
    '--by',
    'transaction',
    '--relayer',
    relayer.url,
    '--key-file',
    keyFile,
    '--json',
    ...onChain(),
  ])
  clearInterval(watch)
  expect(code).toBe(0)
  expect(json).toMatchObject({ ok: true, by: 'transaction', confirmed: true, agents: [agent] })
  expect((json.kill as { timeline: { txHash: string } }).timeline.txHash).toBe(json.txHash)
})

test('a transaction that the relayer does not show is not called confirmed', async () => {
  const [agent] = (await register()) as [string]
  const { code, out } = await cli([
    'kill',
    agent,
    '--by',
    'transaction',
    '--relayer',
    relayer.url,
    '--wait',
    '0',
    '--key-file',
    keyFile,
    ...onChain(),
  ])
  expect(code).toBe(5)
  expect(out).toContain('its enforcement is not confirmed')
  expect(await isKilled(agent)).toBe(true)
})

test('kills one agent by a signature, by default when a relayer is known, and shows each confirmation', async () => {
  const [agent] = (await register()) as [string]
  const { code, out, questions } = await cli(
    [
      'kill',
      agent,
      '--relayer',
      relayer.url,
      '--key-file',
      keyFile,
      '--reason',
      'policy-violation',
      ...onChain(),
    ],
    ['yes'],
  )
  expect(code).toBe(0)
  expect(questions).toHaveLength(1)
  expect(out).toContain(`a signed order of ${owner} (no gas), through ${relayer.url}`)
  expect(out).toContain('confirmed  spiffe://killswitch.test/service/a  after 0 ms')
  expect(out).toContain('confirmed  spiffe://killswitch.test/service/b  after 60 ms')
  expect(out).toContain('Stopped: confirmed by all 2 enforcement points after 60 ms.')
  expect(relayer.requests).toEqual([expect.objectContaining({ spiffeId: agent, reason: 3 })])
  // The order is with the relayer; nothing was paid for.
  expect(await isKilled(agent)).toBe(false)
})

test('by signature it needs no RPC once chain and contract are known', async () => {
  const [agent] = (await register()) as [string]
  const args = [
    '--relayer',
    relayer.url,
    '--contract',
    chain.deployed.deployment.contract,
    '--key-file',
    keyFile,
  ]
  const unknown = await cli(['kill', agent, ...args])
  expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('--chain-id')])
  expect((await cli(['kill', agent, '--chain-id', '31337', ...args])).code).toBe(0)
  // A dead RPC is a warning.
  const dead = await cli(['kill', agent, '--chain-id', '31337', '--rpc', await deadUrl(), ...args])
  expect(dead.code).toBe(0)
  expect(dead.out).toContain('cannot be reached (ECONNREFUSED)')
})

test('an order whose answer is lost is sent again, and is one kill', async () => {
  const [agent] = (await register()) as [string]
  relayer.breakNext = 2
  const { code } = await cli(['kill', agent, '--relayer', relayer.url, '--key-file', keyFile, ...onChain()])
  expect(code).toBe(0)
  expect(relayer.requests).toHaveLength(3)
  expect(new Set(relayer.requests.map(({ signature }) => signature)).size).toBe(1)
})

test('a point that stays open ends it with its own exit code', async () => {
  const [agent] = (await register()) as [string]
  relayer.points = [{ name: 'a', after: null }]
  const { code, json } = await cli([
    'kill',
    agent,
    '--relayer',
    relayer.url,
    '--wait',
    '1',
    '--key-file',
    keyFile,
    '--json',
    ...onChain(),
  ])
  expect(code).toBe(5)
  expect(json).toMatchObject({ ok: false, confirmed: false })
})

test('watching all kills says each change once, in words; --json prints the events as they came', async () => {
  const view = (confirmed: number, elsewhere = {}) => ({
    id: 'k1',
    scope: 'Agent',
    label: '0198c0de-0000-8000-8000-000000000001',
    rank: 'Owner',
    reason: 1,
    text: 'key\u001b[2J leaked',
    state: 'enforced',
    timeline: { seenAt: Date.UTC(2026, 0, 1, 9, 12, 33) },
    points: [0, 1].map((n) => ({
      spiffeId: `spiffe://killswitch.test/service/${n}`,
      state: n < confirmed ? 'confirmed' : 'pending',
    })),
    ...elsewhere,
  })
  const events = [view(0), view(1), view(1, { seenMonotonic: 2 })].map(
    (kill) => ['kill', JSON.stringify(kill)] as const,
  )
  relayer.stream = [...events, ['news', 'not a kill']]
  const args = ['watch', '--relayer', relayer.url]
  const [plain, json] = await Promise.all([cli(args), cli([...args, '--json'])])
  expect(plain.err).toContain('has ended the stream')
  expect([plain.code, plain.out.trim().split('\n')]).toEqual([
    4,
    [0, 1]
      .map(
        (n) =>
          `09:12:33Z  enforced   Agent 0198c0de-0000-8000-8000-000000000001  Owner, compromised: key\\u{1b}[2J leaked  ${n} of 2 points confirmed  kill k1`,
      )
      .concat('news       not a kill'),
  ])
  const lines = json.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines).toEqual([
    ...events.map(([event, data]) => ({ event, data: JSON.parse(data) })),
    { event: 'news', data: 'not a kill' },
    expect.objectContaining({ ok: false, exitCode: 4 }),
  ])
})

test('kills all agents of the wallet, by signature and by transaction', async () => {
  const agents = await register(3)
  const signed = await cli([
    'kill',
    '--all',
    '--relayer',
    relayer.url,
    '--key-file',
    keyFile,
    '--json',
    ...onChain(),
  ])
  expect(signed.code).toBe(0)
  expect(signed.json).toMatchObject({ scope: 'Owner', subject: owner, agents })
  expect(relayer.requests).toEqual([expect.objectContaining({ wallet: owner })])
  const { code, out } = await cli(['kill', '--all', '--key-file', keyFile, ...onChain()])
  expect(code).toBe(0)
  expect(out).toContain(`every agent of wallet ${owner}, present and future: 3 agents now`)
  expect(await Promise.all(agents.map(isKilled))).toEqual([true, true, true])
})

test('a guardian kills for the owner, resumes nothing, and is dismissed after a cool-down', async () => {
  const [agent] = (await register()) as [string]
  const guard = await newKeyFile('guard.key')
  const as = (file: string) => ['--key-file', file, ...onChain()]
  expect((await cli(['guardians', 'add', guard.address, ...as(keyFile)])).code).toBe(0)
  const listed = await cli(['guardians', 'list', '--wallet', owner, '--json', ...onChain()])
  expect(listed.json.guardians).toEqual([{ guardian: guard.address, until: null }])
  const killed = await cli(['kill', '--all', '--wallet', owner, ...as(guard.file)])
  expect(killed.code).toBe(0)
  expect(await isKilled(agent)).toBe(true)
  const resumed = await cli(['resume', '--all', '--wallet', owner, '--request', ...as(guard.file)])
  expect([resumed.code, resumed.err]).toEqual([3, expect.stringContaining('may resume up to rank None')])
  expect((await cli(['guardians', 'remove', guard.address, ...as(keyFile)])).code).toBe(0)
  const leaving = await cli(['guardians', 'list', ...as(keyFile)])
  expect(leaving.out).toContain('dismissed, can kill for 10 min more')
  await chain.pass(cooldown)
  expect((await cli(['guardians', 'list', ...as(keyFile)])).out).toContain('has no guardians')
})

test('resumes in two steps with the cool-down between them', async () => {
  const [agent] = (await register()) as [string]
  const as = ['--key-file', keyFile, ...onChain()]
  expect((await cli(['kill', agent, ...as])).code).toBe(0)
  const early = await cli(['resume', agent, ...as])
  expect([early.code, early.err]).toEqual([3, expect.stringContaining('request it first (--request)')])
  const requested = await cli(['resume', agent, '--request', ...as])
  expect(requested.code).toBe(0)
  expect(requested.out).toContain('Cool-down: 10 min, until')
  const again = await cli(['resume', agent, '--request', ...as])
  expect([again.code, again.err]).toEqual([3, expect.stringContaining('is requested already')])
  await chain.pass(cooldown - 60)
  const soon = await cli(['resume', agent, ...as])
  expect([soon.code, soon.err]).toEqual([3, expect.stringContaining('the cool-down runs until')])
  expect(soon.out).toContain('left, until')
  expect(await isKilled(agent)).toBe(true)
  await chain.pass(60)
  const done = await cli(['resume', agent, '--json', ...as])
  expect([done.code, done.json]).toEqual([
    0,
    expect.objectContaining({ ok: true, resumed: true, killed: false }),
  ])
  expect(await isKilled(agent)).toBe(false)
  const nothing = await cli(['resume', agent, '--request', ...as])
  expect([nothing.code, nothing.err]).toEqual([3, expect.stringContaining('is not killed')])
})

test('resumes a wallet', async () => {
  const agents = await register(2)
  const as = ['--key-file', keyFile, ...onChain()]
  await cli(['kill', '--all', ...as])
  expect((await cli(['resume', '--all', '--request', ...as])).code).toBe(0)
  await chain.pass(cooldown)
  expect((await cli(['resume', '--all', ...as])).code).toBe(0)
  expect(await Promise.all(agents.map(isKilled))).toEqual([false, false])
})

test('a council resumes nothing that its owner stopped, and says what it lifted above that', async () => {
  const [agent] = (await register()) as [string]
  const council = await newKeyFile('council.key')
  const governing = createWalletClient({ account: chain.governance, transport: http(chain.rpc) })
  await governing.writeContract({
    address: chain.deployed.deployment.contract,
    abi: killSwitchAbi,
    functionName: 'setCouncil',
    args: [council.address],
    chain: null,
  })
  const as = (file: string) => ['--key-file', file, ...onChain()]
  expect((await cli(['kill', agent, ...as(keyFile)])).code).toBe(0)
  const refused = await cli(['resume', agent, '--request', '--json', ...as(council.file)])
  expect([refused.code, refused.json]).toEqual([3, expect.objectContaining({ error: 'OwnersKill' })])
  expect(refused.err + JSON.stringify(refused.json)).toContain('was stopped by its owner')

  expect((await cli(['kill', agent, ...as(council.file)])).code).toBe(0)
  expect((await cli(['resume', agent, '--request', ...as(council.file)])).code).toBe(0)
  await chain.pass(cooldown)
  const lowered = await cli(['resume', agent, '--json', ...as(council.file)])
  expect([lowered.code, lowered.json]).toEqual([
    0,
    expect.objectContaining({ ok: true, resumed: false, killed: true }),
  ])
  expect(await isKilled(agent)).toBe(true)
  expect((await cli(['resume', agent, '--request', ...as(keyFile)])).code).toBe(0)
  await chain.pass(cooldown)
  expect((await cli(['resume', agent, ...as(keyFile)])).code).toBe(0)
  expect(await isKilled(agent)).toBe(false)
})

test('the key of somebody else kills nothing, by transaction or by signature', async () => {
  const [agent] = (await register()) as [string]
  const sent = await cli(['kill', agent, '--key-file', strangerFile, '--json', ...onChain()])
  expect(sent.code).toBe(3)
  expect(sent.json).toMatchObject({ ok: false, exitCode: 3, error: 'NotAuthorized' })
  const signed = await cli([
    'kill',
    agent,
    '--relayer',
    relayer.url,
    '--key-file',
    strangerFile,
    ...onChain(),
  ])
  expect(signed.code).toBe(3)
  expect(signed.out).toContain('this key has no kill over it')
  expect(signed.err).toContain(
    `not-authorized: ${strangerAddress} has no kill over it (field order.authority)`,
  )
  expect(await isKilled(agent)).toBe(false)
})

test('an agent that is unknown, of another type, or no agent is refused before anything is signed', async () => {
  const [agent] = (await register()) as [string]
  const unknown = `spiffe://killswitch.test/trader/0198c0de-0000-8000-8000-000000000001`
  const as = ['--relayer', relayer.url, '--key-file', keyFile, ...onChain()]
  const results = await Promise.all(
    [
      unknown,
      agent.replace('/trader/', '/scraper/'),
      agent.toUpperCase(),
      'spiffe://killswitch.test/service/a',
    ].map((id) => cli(['kill', id, ...as])),
  )
  expect(results.map(({ code }) => code)).toEqual([3, 2, 2, 2])
  expect(results[0]?.err).toContain('is not registered in this contract')
  expect(results[1]?.err).toContain(`this agent is ${agent}`)
  expect(results[3]?.err).toContain('a workload that an operator enrolled')
  expect(relayer.requests).toEqual([])
})

test('a key file that others may read is refused', async () => {
  const [agent] = (await register()) as [string]
  chmodSync(keyFile, 0o644)
  const { code, err } = await cli(['kill', agent, '--key-file', keyFile, ...onChain()])
  expect([code, err]).toEqual([2, expect.stringContaining(`chmod 600 ${keyFile}`)])
  expect(await isKilled(agent)).toBe(false)
})

test.each([
  [['kill', '--all', '--nope'], '--nope is no option'],
  [['kill', '--all', '--request'], '--request is no option of killswitch kill'],
  [['kill'], 'name an agent by its SPIFFE ID, or --all'],
  [['kill', 'spiffe://a/b/0198c0de-0000-8000-8000-000000000001', '--all'], 'contradict'],
  [['kill', '--all', 'x', 'y'], '"y" is an argument too many'],
  [['kill', '--all', '--by', 'post'], '--by must be transaction or signature'],
  [['kill', '--all', '--by', 'signature'], '--relayer is needed'],
  [['kill', '--all', '--reason', 'bored'], '--reason must be one of'],
  [['kill', '--all', '--reason', '65280'], '--reason must be a whole number from 0 to 65279'],
  [['kill', '--all', '--text', 'ü'.repeat(129)], '--text is 258 bytes long'],
  [['kill', '--all', '--wait', '1.5'], '--wait must be'],
  [['kill', '--all', '--rpc', 'localhost:8545'], '--rpc must be'],
  [['register', '--type', 'service'], '--type must be'],
  [['register', '--type', 'trader', '--count', '0'], '--count must be'],
  [['status', 'a', 'b'], '"b" is an argument too many'],
  [['frobnicate'], '"frobnicate" is no command'],
  [['guardians'], 'guardians: one of guardians add, guardians remove, guardians list'],
  [['burn'], 'name the file'],
  [['watch'], '--relayer is needed'],
])('%j stops at once and says why', async (args, why) => {
  const { code, err } = await cli(args)
  expect([code, err]).toEqual([2, expect.stringContaining(why)])
  const { json } = await cli([...args, '--json'])
  expect(json).toMatchObject({ ok: false, exitCode: 2 })
})

test('every command explains itself', async () => {
  const { out, code } = await cli(['--help'])
  expect(code).toBe(0)
  const names = [...out.matchAll(/^ {2}killswitch (guardians \w+|orders \w+|\w+)/gm)].map(
    ([, name]) => name as string,
  )
  expect(names).toHaveLength(12)
  for (const name of names) {
    const help = await cli([...name.split(' '), '--help'])
    expect([help.code, help.out]).toEqual([0, expect.stringContaining(`killswitch ${name}`)])
    expect(help.out).toContain('Exit codes')
  }
  expect((await cli([])).code).toBe(2)
})

/** An address where nobody listens. */
async function deadUrl(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

test('no network: one line that names the address and the option', async () => {
  const url = await deadUrl()
  const agent = 'spiffe://killswitch.test/trader/0198c0de-0000-8000-8000-000000000001'
  const as = ['--contract', chain.deployed.deployment.contract, '--key-file', keyFile]
  const rpc = await cli(['kill', agent, '--rpc', `${url}/v2/secret-api-key`, ...as])
  expect(rpc.code).toBe(4)
  expect(rpc.err).toBe(`killswitch: the RPC ${url} cannot be reached (ECONNREFUSED); --rpc names another\n`)
  const post = await cli(['kill', '--all', '--relayer', url, '--chain-id', '31337', ...as])
  expect(post.code).toBe(4)
  expect(post.err).toContain(`the relayer ${url} cannot be reached (ECONNREFUSED); --relayer names another`)
})

test('another chain or contract is named before anything is signed', async () => {
  const as = ['--all', '--key-file', keyFile, '--rpc', chain.rpc]
  const other = await cli([
    'kill',
    ...as,
    '--contract',
    chain.deployed.deployment.contract,
    '--chain-id',
    '1',
  ])
  expect([other.code, other.err]).toEqual([2, expect.stringContaining('--chain-id says 1, but the RPC')])
  const empty = await cli(['kill', ...as, '--contract', `0x${'12'.repeat(20)}`])
  expect([empty.code, empty.err]).toEqual([2, expect.stringContaining('has no code on chain 31337')])
})

test('an order signed offline is sent by somebody without a key, and burnt by its owner', async () => {
  const [agent] = (await register()) as [string]
  const { contract } = chain.deployed.deployment
  const out = path.join(cwd, 'order.json')
  const signed = await cli([
    'orders',
    'sign',
    agent,
    '--contract',
    contract,
    '--chain-id',
    '31337',
    '--key-file',
    keyFile,
    '--out',
    out,
  ])
  expect(signed.code).toBe(0)
  expect(statSync(out).mode & 0o777).toBe(0o600)
  const sent = await cli(['orders', 'send', out, '--relayer', relayer.url])
  expect(sent.code).toBe(0)
  expect(sent.out).toContain('Stopped: confirmed by all 2')

  const stranger = await cli(['burn', out, '--key-file', strangerFile, ...onChain()])
  expect(stranger.code).toBe(3)
  const burnt = await cli(['burn', out, '--key-file', keyFile, '--json', ...onChain()])
  expect([burnt.code, burnt.json]).toEqual([0, expect.objectContaining({ ok: true })])
  const again = await cli(['burn', out, '--key-file', keyFile, ...onChain()])
  expect([again.code, again.err]).toEqual([3, expect.stringContaining('the order was burnt')])

  const elsewhere = await cli([
    'orders',
    'sign',
    '--all',
    '--contract',
    contract,
    '--chain-id',
    '5',
    '--key-file',
    keyFile,
  ])
  writeFileSync(out, elsewhere.out)
  const other = await cli(['burn', out, '--key-file', keyFile, ...onChain()])
  expect([other.code, other.err]).toEqual([2, expect.stringContaining('is an order for eip155:5:')])
})

test('a local start needs no option: its file names everything, and the owner of the agent signs', async () => {
  const [agent] = (await register()) as [string]
  mkdirSync(path.join(cwd, '.killswitch'), { recursive: true })
  const { contract, chainId } = chain.deployed.deployment
  writeFileSync(
    path.join(cwd, '.killswitch', 'local.json'),
    JSON.stringify({
      rpc: chain.rpc,
      relayer: relayer.url,
      contract,
      chainId,
      relayerFeedKey: 'x',
      keyFiles: { stranger: strangerFile, owner: keyFile },
    }),
  )
  expect((await cli(['kill', agent])).code).toBe(0)
  expect(relayer.requests[0]?.order.authority).toBe(owner)
  const all = await cli(['kill', '--all'])
  expect([all.code, all.err]).toEqual([
    2,
    expect.stringContaining('--as is needed: the configuration has the keys stranger, owner'),
  ])
  expect((await cli(['kill', '--all', '--as', 'owner'])).code).toBe(0)
  // The list is the relayer's; the chain is read only where there is none.
  const listed = await cli(['agents', '--wallet', owner], undefined, { KILLSWITCH_RPC: await deadUrl() })
  expect([listed.code, listed.out]).toEqual([0, expect.stringContaining('According to the relayer.')])
  expect(listed.out).toContain(agent)
  const fromChain = await cli(['agents', '--wallet', owner, '--relayer', await deadUrl()])
  expect(fromChain.out).toContain('--relayer names another')
  expect(fromChain.out).toContain(`${agent}  alive`)
  expect(fromChain.out).toContain('According to the chain.')
  expect((await cli(['status'])).out).toContain('(according to the relayer)')
})
