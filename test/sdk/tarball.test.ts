// What npm would publish, in a project that has never seen this repository.
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deploymentId } from '../../protocol/deployment.ts'
import { createCa } from './support/ca.ts'
import { deployment, trustDomain } from './support/scene.ts'

const run = promisify(execFile)
const root = path.resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(path.join(tmpdir(), 'killswitch-tarball-'))
const env = {
  ...process.env,
  PATH: `${path.join(root, 'node_modules/.bin')}${path.delimiter}${process.env.PATH}`,
}
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a command and puts what it wrote into the error when it fails. */
async function command(file: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    return (await run(file, args, { cwd, env, maxBuffer: 64_000_000 })).stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${file} ${args.join(' ')} failed:\n${stdout}\n${stderr}`)
  }
}

const program = `
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:https'
import { createAgentFetch, type AgentFetch } from 'killswitch/agent/agentFetch'
import { createAgentIdentity } from 'killswitch/agent'
import { AgentKilledError, type Identity } from 'killswitch/agent/identity'
import { createEnforcer, type Enforcer } from 'killswitch/enforcer'
import { parseSpiffeId } from 'killswitch/protocol/spiffeId'
import { readFileSync } from 'node:fs'

const material = JSON.parse(readFileSync('material.json', 'utf8')) as { certificate: string; privateKey: string; bundle: string }
const enforcer: Enforcer = await createEnforcer({
  deployment: { chainId: 31337, contract: '0x${'5f'.repeat(20)}' },
  relayers: [{ url: 'http://127.0.0.1:9', relayer: '${'A'.repeat(43)}' }],
  identity: { trustDomain: '${trustDomain}', tls: () => material, onChange: () => () => {} },
})
const server = createServer(enforcer.serverOptions())
enforcer.guard(server)
const { spiffeId } = { spiffeId: parseSpiffeId('spiffe://${trustDomain}/service/demo') }
const failClosed: boolean = enforcer.isRevoked({ spiffeId, owner: null, deployment: 'eip155:31337:0x${'5f'.repeat(20)}', generation: 1 })
await enforcer.close()
let attested: Identity | string
try {
  attested = await createAgentIdentity({
    relayers: [{ url: 'http://127.0.0.1:9', mtlsUrl: 'https://127.0.0.1:9', relayer: '${'A'.repeat(43)}' }],
    spiffeId: 'spiffe://${trustDomain}/trader/01890a5d-ac96-8774-bcce-b302099a8057',
    key: generateKeyPairSync('ed25519').privateKey,
  })
} catch (error) {
  attested = error instanceof AgentKilledError ? 'killed' : (error as Error).name
}
const make: (identity: Identity) => AgentFetch = createAgentFetch
console.log(JSON.stringify({ failClosed, attested, make: typeof make }))
`

beforeAll(async () => {
  await command('npm', ['pack', '--pack-destination', folder], root)
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  if (tarball === undefined) throw new Error('npm pack made no tarball')
  writeFileSync(
    path.join(folder, 'package.json'),
    JSON.stringify({ name: 'empty', private: true, type: 'module' }),
  )
  await command(
    'npm',
    ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', `./${tarball}`],
    folder,
  )
  const service = { spiffeId: `spiffe://${trustDomain}/service/demo`, deployment: deploymentId(deployment) }
  writeFileSync(path.join(folder, 'material.json'), JSON.stringify(await (await createCa()).issue(service)))
  writeFileSync(path.join(folder, 'program.ts'), program)
}, 300_000)

test('the tarball holds JavaScript and types only, no sources and no tests', () => {
  const files = readdirSync(path.join(folder, 'node_modules/killswitch'), {
    recursive: true,
    encoding: 'utf8',
  })
  const code = files.filter((file) => /\.[cm]?[jt]sx?$/.test(file))
  expect(code.length).toBeGreaterThan(20)
  expect(code.filter((file) => !/\.(m?js|d\.ts)$/.test(file) || file.includes('.test.'))).toEqual([])
})

test('its types hold and its code runs in an empty project', async () => {
  const tsc = path.join(root, 'node_modules/.bin/tsc')
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noEmitOnError', '--target', 'es2024']
  const modules = [
    '--module',
    'nodenext',
    '--typeRoots',
    path.join(root, 'node_modules/@types'),
    '--types',
    'node',
  ]
  await command(tsc, [...strict, ...modules, '--outDir', 'out', 'program.ts'], folder)
  const printed = await command(process.execPath, ['out/program.js'], folder)
  expect(JSON.parse(printed.trim())).toEqual({
    failClosed: true,
    attested: 'RelayerUnreachableError',
    make: 'function',
  })
}, 120_000)
