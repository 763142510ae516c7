import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type ServerType, serve } from '@hono/node-server'
import pino from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import { AppFolderError, addAppRoutes, contentSecurityPolicy, readAppFiles } from './app.ts'
import { createApplication } from './application.ts'
import { addCors } from './cors.ts'

const folders: string[] = []
const servers: ServerType[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function makeFolder(files: Readonly<Record<string, string>>): string {
  const above = mkdtempSync(path.join(tmpdir(), 'killswitch-app-'))
  folders.push(above)
  const folder = path.join(above, 'app')
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return folder
}

const config = JSON.stringify({ rpc: 'https://node.example/key', chainName: 'Some chain', chainId: 7 })
const built = {
  'index.html': '<!doctype html><title>Killswitch</title>',
  'assets/page-1a2b.js': `/* ${'long '.repeat(1_000)} */`,
  'config.json': config,
  'notes.md': 'not of a kind that is served',
}

async function serveFolder(folder: string): Promise<string> {
  const app = createApplication(pino({ enabled: false }), 1_000, () => {})
  addCors(app)
  addAppRoutes(app, readAppFiles(folder), { chainId: 1, relayerKey: 'key' })
  for (const route of ['/agents', '/metrics', '/enrolments'])
    app.get(route, (context) => context.text('read'))
  for (const route of ['/api/kill', '/enrolments']) app.post(route, (context) => context.text('written'))
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  servers.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('the app that a relayer serves', () => {
  test('has its page at /, assets for good, and everything else asked for anew', async () => {
    const url = await serveFolder(makeFolder(built))
    const page = await fetch(`${url}/`)
    expect([page.status, page.headers.get('content-type'), page.headers.get('cache-control')]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-cache',
    ])
    expect(await page.text()).toBe(built['index.html'])
    const asset = await fetch(`${url}/assets/page-1a2b.js`)
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(asset.headers.get('content-encoding')).toBe('gzip')
    expect(await asset.text()).toBe(built['assets/page-1a2b.js'])
  })

  test('comes as it is to those who take no gzip', async () => {
    const url = await serveFolder(makeFolder(built))
    const asset = await fetch(`${url}/assets/page-1a2b.js`, { headers: { 'accept-encoding': 'identity' } })
    expect(asset.headers.get('content-encoding')).toBeNull()
    expect(await asset.text()).toBe(built['assets/page-1a2b.js'])
  })

  test("tells what the relayer knows, and the operator's words before that", async () => {
    const url = await serveFolder(makeFolder(built))
    expect(await (await fetch(`${url}/config.json`)).json()).toEqual({
      relayer: '/',
      relayerKey: 'key',
      ...JSON.parse(config),
    })
  })

  test.each([
    '/notes.md',
    '/../secret.json',
    '/assets/..%2F..%2Fsecret.json',
    '/%2e%2e/secret.json',
    '/assets',
  ])('has nothing at %s', async (where) => {
    const folder = makeFolder({ ...built, '../secret.json': 'x' })
    const answer = await fetch(`${await serveFolder(folder)}${where}`)
    expect(answer.status).toBe(404)
  })

  test('may talk to its node and its relayer, and nobody may frame it', () => {
    const policy = contentSecurityPolicy({
      rpc: 'https://node.example/key',
      relayer: 'https://relayer.example',
    })
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("connect-src 'self' https://node.example https://relayer.example;")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|\*/)
  })

  test.each([
    ['without a page', { 'config.json': config }, 'index.html'],
    ['without a node', { 'index.html': '', 'config.json': '{}' }, '"rpc"'],
    ['without a configuration', { 'index.html': '' }, '"rpc"'],
    ['with a configuration that is no JSON', { 'index.html': '', 'config.json': '{' }, 'no JSON'],
  ])('is refused %s, and why', (_, files, why) => {
    const folder = makeFolder(files)
    expect(() => readAppFiles(folder)).toThrow(AppFolderError)
    expect(() => readAppFiles(folder)).toThrow(why)
  })

  test('is refused where there is no folder', () => {
    expect(() => readAppFiles('/no/such/folder')).toThrow('ENOENT')
  })
})

describe('pages of other origins', () => {
  const allowed = (answer: Response): string | null => answer.headers.get('access-control-allow-origin')

  test('read what is public and send orders', async () => {
    const url = await serveFolder(makeFolder(built))
    expect(allowed(await fetch(`${url}/agents`))).toBe('*')
    expect(allowed(await fetch(`${url}/api/kill`, { method: 'POST' }))).toBe('*')
    const asked = await fetch(`${url}/api/kill`, { method: 'OPTIONS' })
    expect([asked.status, asked.headers.get('access-control-allow-methods')]).toEqual([204, 'POST'])
    expect(asked.headers.get('access-control-allow-credentials')).toBeNull()
  })

  test.each([
    ['GET', '/metrics'],
    ['POST', '/enrolments'],
    ['OPTIONS', '/enrolments'],
    ['GET', '/config.json'],
    ['DELETE', '/agents'],
  ])('are not let into %s %s', async (method, where) => {
    const url = await serveFolder(makeFolder(built))
    expect(allowed(await fetch(`${url}${where}`, { method }))).toBeNull()
  })
})
