import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect, createServer as createTlsServer } from 'node:tls'
import { parseEventLogs } from 'viem'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { deploymentId } from '../../protocol/deployment.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { agentTarget, Scope } from '../../protocol/scope.ts'
import { formatSpiffeId } from '../../protocol/spiffeId.ts'
import { uuidFromAgentId } from '../../protocol/uuid.ts'
import { readSvid } from '../../protocol/x509/readSvid.ts'
import { makeKey } from './makeKey.ts'
import { attest, attested, enrolled, postAs, type Workload } from './workload.ts'
import {
  accounts,
  killBody,
  newAgent,
  startRelayer,
  startWorld,
  type TestAgent,
  type TestChain,
  type TestRelayer,
  trustDomain,
  until,
} from './world.ts'

let chain: TestChain
let relayer: TestRelayer
let agent: TestAgent

beforeAll(async () => {
  const world = await startWorld()
  ;({ chain, relayer } = world)
  return world.stop
})
beforeEach(async () => {
  agent = await newAgent(chain, relayer)
})

const der = (pem: string) => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
const slug = (problem: Record<string, unknown>) => String(problem.type).split('/').at(-1)
const view = async (one = agent) =>
  relayer.get<{
    state: string
    svid: object | null
    lastAccessAt: number | null
    lastOutcome: string | null
  }>(`/agents/${one.uuid}`)
const kill = async (one: TestAgent) =>
  (await (await relayer.post('/api/kill', await killBody(chain.deployment, accounts.alice, one))).json()) as {
    killId: string
  }

describe('attestation', () => {
  test('gives an SVID that says owner, deployment and generation', async () => {
    const workload = await attested(relayer, agent)
    const { claims, notAfter } = readSvid(der(workload.svid))
    expect(formatSpiffeId(claims.spiffeId)).toBe(agent.spiffeId)
    expect(claims).toMatchObject({
      owner: accounts.alice.address.toLowerCase(),
      deployment: deploymentId(chain.deployment),
      generation: workload.generation,
    })
    expect(notAfter).toBe(workload.expiresAt)
    expect((await view()).svid).not.toBeNull()
  })

  const stranger = generateKeyPairSync('ed25519').privateKey
  test.each([
    ['by another key', { signWith: stranger }, 401, 'bad-proof'],
    ['of a challenge that was never given', { challenge: 'A'.repeat(43) }, 401, 'bad-proof'],
    ['made for another relayer', { relayer: 'B'.repeat(43) }, 401, 'bad-proof'],
    ['with a CSR that is none', { sent: { csr: 'nothing' } }, 400, 'malformed-request'],
    [
      'for a reserved type',
      { sent: { spiffeId: `spiffe://${trustDomain}/service/x` } },
      404,
      'unknown-agent',
    ],
    [
      'for another trust domain',
      { sent: { spiffeId: 'spiffe://elsewhere/worker/01234567-89ab-8def-8123-456789abcdef' } },
      404,
      'unknown-agent',
    ],
  ] as const)('%s is refused', async (_, change, status, expected) => {
    const { response } = await attest(relayer, agent, change)
    expect({
      status: response.status,
      slug: slug((await response.json()) as Record<string, unknown>),
    }).toEqual({ status, slug: expected })
    expect((await view()).svid).toBeNull()
  })

  test('with the CSR exchanged for another is refused: the proof binds the key', async () => {
    const { response } = await attest(relayer, agent, { sent: { csr: (await makeKey()).csr } })
    expect(response.status).toBe(401)
  })

  test('with a proof that is no base64url is malformed', async () => {
    const { response } = await attest(relayer, agent, { sent: { proof: 'A' } })
    expect(response.status).toBe(400)
  })

  test('replayed is refused: a challenge is used once', async () => {
    const { response, body } = await attest(relayer, agent)
    expect(response.status).toBe(200)
    expect((await relayer.post('/agents/attest', body)).status).toBe(401)
  })

  test('of an agent without type and key is refused until its owner completes it', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const receipt = await chain.send(accounts.alice, 'register', ['https://agents.test/file.json'])
    const [event] = parseEventLogs({ abi: killSwitchAbi, eventName: 'Registered', logs: receipt.logs })
    const agentId = event?.args.agentId as bigint
    const uuid = uuidFromAgentId(agentId)
    const incomplete = { uuid, spiffeId: `spiffe://${trustDomain}/worker/${uuid}`, privateKey }
    const seen = () => view(incomplete) as Promise<{ spiffeId?: string | null }>
    await until('the agent is known', async () => 'spiffeId' in (await seen()))
    expect(await seen()).toMatchObject({ spiffeId: null, agentType: null, state: 'alive', svid: null })
    expect((await attest(relayer, incomplete)).response.status).toBe(404)

    const key = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex')
    await chain.send(accounts.alice, 'completeAgent', [agentId, 'worker', `0x${key}`])
    await until('it is complete', async () => (await seen()).spiffeId === incomplete.spiffeId)
    expect((await attest(relayer, incomplete)).response.status).toBe(200)
  })

  test('of a killed agent is refused, before its kill is on chain as well', async () => {
    await kill(agent)
    const { response } = await attest(relayer, agent)
    expect({
      status: response.status,
      slug: slug((await response.json()) as Record<string, unknown>),
    }).toEqual({ status: 403, slug: 'agent-killed' })
  })
})

describe('renewal over mutual TLS', () => {
  const renew = async (workload: Workload | null) =>
    postAs(relayer, workload, '/svid/renew', { csr: (await makeKey()).csr })

  test('gives a new SVID of the present generation', async () => {
    const workload = await attested(relayer, agent)
    await newAgent(chain, relayer, accounts.bob)
    const { status, json } = await renew(workload)
    expect(status).toBe(200)
    expect(json.generation).toBeGreaterThan(workload.generation)
  })

  test('without a certificate, or with one of another authority, does not get through TLS', async () => {
    await expect(renew(null)).rejects.toThrow()
  })

  test('of a killed agent is refused', async () => {
    const workload = await attested(relayer, agent)
    await kill(agent)
    expect(await renew(workload)).toMatchObject({ status: 403 })
  })

  test('with an SVID from before a resume is refused, although the agent lives again', async () => {
    const workload = await attested(relayer, agent)
    await chain.send(accounts.alice, 'kill', [Scope.Agent, agentTarget(agent.uuid).subject, 0, ''])
    await until('the kill', async () => (await view()).state === 'killed')
    await chain.send(accounts.alice, 'requestResume', [Scope.Agent, agentTarget(agent.uuid).subject])
    await chain.test.increaseTime({ seconds: 3601 })
    await chain.send(accounts.alice, 'resume', [Scope.Agent, agentTarget(agent.uuid).subject])
    await until('the resume', async () => (await view()).state === 'alive')
    expect(await renew(workload)).toMatchObject({
      status: 403,
      json: { type: expect.stringContaining('svid-revoked') },
    })
    expect((await attest(relayer, agent)).response.status).toBe(200)
  })

  test('with an SVID that was renewed before needs a fresh proof: a stolen one does not live on', async () => {
    const stolen = await attested(relayer, agent)
    await attested(relayer, agent)
    expect(await renew(stolen)).toMatchObject({
      status: 401,
      json: { type: expect.stringContaining('proof-needed') },
    })
  })

  test('after a key change needs the new key', async () => {
    const workload = await attested(relayer, agent)
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const key = `0x${publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex')}`
    await chain.send(accounts.alice, 'setKey', [BigInt(agentTarget(agent.uuid).subject), key])
    await until('the new key', async () => (await attest(relayer, agent)).response.status === 401)
    expect(await renew(workload)).toMatchObject({
      status: 401,
      json: { type: expect.stringContaining('proof-needed') },
    })
    expect((await attest(relayer, agent, { signWith: privateKey })).response.status).toBe(200)
  })

  test("by the former owner's SVID is refused after a transfer", async () => {
    const workload = await attested(relayer, agent)
    await chain.send(accounts.alice, 'transferFrom', [
      accounts.alice.address,
      accounts.stranger.address,
      BigInt(agentTarget(agent.uuid).subject),
    ])
    await until('the transfer', async () => (await view()).state === 'killed')
    expect(await renew(workload)).toMatchObject({ status: 403 })
  })
})

test('the bundle is a SPIFFE bundle document', async () => {
  const bundle = await relayer.get<{
    keys: { use: string; x5c: string[]; kid?: string }[]
    spiffe_sequence: number
  }>('/bundle')
  expect(bundle.keys).toEqual([
    expect.objectContaining({ use: 'x509-svid', kty: 'EC', x5c: [expect.any(String)] }),
  ])
  expect(bundle.keys[0]).not.toHaveProperty('kid')
  expect(bundle.spiffe_sequence).toBeGreaterThan(0)
})

test('the revocation list, in a TLS server that cannot follow the feed, refuses the killed agent alone', async () => {
  const killed = await attested(relayer, agent)
  const other = await attested(relayer, await newAgent(chain, relayer, accounts.bob))
  await kill(agent)
  const list = await fetch(`${relayer.url}/crl`)
  expect(list.headers.get('content-type')).toBe('application/pkix-crl')
  const der = Buffer.from(await list.arrayBuffer()).toString('base64')
  const { svid: cert, key } = await enrolled(relayer)
  const server = createTlsServer(
    {
      key,
      cert,
      ca: relayer.bundle,
      crl: `-----BEGIN X509 CRL-----\n${der}\n-----END X509 CRL-----\n`,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (socket) => socket.end(socket.authorized ? 'accepted' : String(socket.authorizationError)),
  )
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  )
  const call = (workload: Workload) =>
    text(
      connect({
        host: '127.0.0.1',
        port,
        key: workload.key,
        cert: workload.svid,
        ca: relayer.bundle,
        // A service's SVID names no host.
        checkServerIdentity: () => undefined,
      }),
    )
  try {
    expect(await call(killed)).toBe('CERT_REVOKED')
    expect(await call(other)).toBe('accepted')
  } finally {
    server.close()
  }
})

test('a port in use is said with the option that changes it', async () => {
  const server = createServer()
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  )
  await expect(startRelayer(chain, { listen: { host: '127.0.0.1', port } })).rejects.toThrow(
    /in use.*--listen/,
  )
  server.close()
})
