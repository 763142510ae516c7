import 'reflect-metadata'
import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  verify,
  X509Certificate,
} from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TLSSocket } from 'node:tls'
import { Pkcs10CertificateRequest } from '@peculiar/x509'
import { afterEach, expect, test } from 'vitest'
import { attestationMessage } from '../../protocol/attestation.ts'
import { deploymentId } from '../../protocol/deployment.ts'
import { createAgentFetch } from '../../sdk/agent/agentFetch.ts'
import { createAgentIdentity } from '../../sdk/agent/agentIdentity.ts'
import { AgentKilledError, NoSvidError } from '../../sdk/agent/identity.ts'
import { createServiceIdentity, NotEnrolledError } from '../../sdk/agent/serviceIdentity.ts'
import type { Log } from '../../sdk/client/log.ts'
import { RelayerRefusedError } from '../../sdk/client/relayerCall.ts'
import { InsecureUrlError } from '../../sdk/client/secureUrl.ts'
import { createCa } from './support/ca.ts'
import { listen } from './support/listen.ts'
import { createManualClock } from './support/manualClock.ts'
import { agentOrder, deployment, ownerA, trustDomain, uuidA } from './support/scene.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

type ManualClock = ReturnType<typeof createManualClock>

const agentId = agentOrder(uuidA, ownerA).spiffeId
const serviceId = `spiffe://${trustDomain}/service/demo`
const feedKey = 'A'.repeat(43)

/** A small relayer that checks proofs and CSRs, and issues. */
async function createRelayer(feedKey: string, clock: ManualClock, publicKey: KeyObject) {
  let ca = await createCa()
  const state = {
    killed: false,
    renewals: 0,
    attestations: 0,
    enrolments: 0,
    generation: 1,
    renewalStatus: 200,
    life: 300_000,
    /** Answers nothing: connections are reset. */
    down: false,
    /** How often the roots were asked for. */
    bundles: 0,
    /** Calls that are still shed, with this status. */
    shed: 0,
    shedStatus: 503,
    /** When a resumed agent gets its next SVID, ms; null for at once. */
    coolsUntil: null as number | null,
  }
  const challenges = new Set<string>()

  const issue = async (csrPem: string, order: ReturnType<typeof agentOrder>) => {
    const csr = new Pkcs10CertificateRequest(csrPem)
    expect(await csr.verify()).toBe(true)
    state.generation += 1
    const issued = await ca.issueFor(new Uint8Array(csr.publicKey.rawData), {
      ...order,
      generation: state.generation,
      notBefore: clock.wall() - 1_000,
      notAfter: clock.wall() + state.life,
    })
    return {
      svid: issued.certificate,
      bundle: ca.bundle,
      expiresAt: issued.notAfter,
      generation: state.generation,
    }
  }
  const refuse = (response: ServerResponse, status: number, slug: string, more: object = {}) =>
    response.writeHead(status, { 'content-type': 'application/problem+json' }).end(
      JSON.stringify({
        type: `https://killswitch.ai/problems/${slug}`,
        title: slug,
        status,
        detail: 'compromised (leaked its key).',
        ...more,
      }),
    )
  const bodyOf = async (request: IncomingMessage) => {
    let text = ''
    for await (const chunk of request) text += chunk
    return JSON.parse(text) as Record<string, string>
  }
  const serviceOrder = { spiffeId: serviceId, deployment: deploymentId(deployment) }

  const front = createHttpServer(async (request, response) => {
    if (state.down) return void request.destroy()
    if (request.url === '/bundle') {
      state.bundles += 1
      const x5c = [Buffer.from(ca.rootDer).toString('base64')]
      return void response.end(JSON.stringify({ keys: [{ use: 'x509-svid', x5c }] }))
    }
    const body = await bodyOf(request)
    if (state.shed > 0) {
      state.shed -= 1
      return void refuse(response, state.shedStatus, 'overloaded')
    }
    if (request.url === '/agents/challenges') {
      const challenge = randomBytes(32).toString('base64url')
      challenges.add(challenge)
      return void response.end(JSON.stringify({ challenge, expiresAt: clock.wall() + 60_000 }))
    }
    if (request.url === '/enrolments') {
      state.enrolments += 1
      if (request.headers.authorization !== 'Bearer once' || state.enrolments > 1)
        return void refuse(response, 401, 'bad-token')
      return void response.end(JSON.stringify(await issue(body.csr as string, serviceOrder as never)))
    }
    state.attestations += 1
    const { challenge = '', proof = '', csr = '', spiffeId = '' } = body
    const spki = new Uint8Array(new Pkcs10CertificateRequest(csr).publicKey.rawData)
    const message = attestationMessage({ trustDomain, relayer: feedKey, challenge, spiffeId, spki })
    const proved =
      challenges.delete(challenge) && verify(null, message, publicKey, Buffer.from(proof, 'base64url'))
    if (!proved) return void refuse(response, 401, 'bad-proof')
    if (state.killed) return void refuse(response, 403, 'agent-killed')
    if (state.coolsUntil !== null && clock.wall() < state.coolsUntil)
      return void refuse(response, 403, 'resume-cooling-down', { retryAt: state.coolsUntil })
    response.end(JSON.stringify(await issue(csr, agentOrder(uuidA, ownerA))))
  })
  const serverOptions = async (trusted = ca.bundle) => {
    const { certificate, privateKey } = await ca.issue({
      spiffeId: `spiffe://${trustDomain}/relayer/one`,
      deployment: deploymentId(deployment),
    })
    return {
      cert: certificate,
      key: privateKey,
      ca: trusted,
      requestCert: true,
      minVersion: 'TLSv1.3',
    } as const
  }
  const back = createServer(await serverOptions(), async (request, response) => {
    if (state.down) return void request.destroy()
    const { csr = '' } = await bodyOf(request)
    state.renewals += 1
    if (state.killed) return void refuse(response, 403, 'agent-killed')
    if (state.renewalStatus !== 200) return void refuse(response, state.renewalStatus, 'proof-needed')
    const peer = (request.socket as TLSSocket).getPeerX509Certificate()?.subjectAltName
    response.end(
      JSON.stringify(
        await issue(csr, peer === `URI:${agentId}` ? agentOrder(uuidA, ownerA) : (serviceOrder as never)),
      ),
    )
  })
  const [public_, mutual] = [await listen(front), await listen(back)]
  ends.push(public_.close, mutual.close)
  return {
    state,
    get ca() {
      return ca
    },
    /** A new root, below which everything new stands; SVIDs below the old one still count. */
    async rotate() {
      const before = ca.bundle
      ca = await createCa()
      back.setSecureContext(await serverOptions(`${ca.bundle}\n${before}`))
      back.closeAllConnections()
    },
    address: {
      url: `http://127.0.0.1:${public_.port}`,
      mtlsUrl: `https://127.0.0.1:${mutual.port}`,
      relayer: feedKey,
    },
  }
}

async function begin() {
  const clock = createManualClock()
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const relayer = await createRelayer(feedKey, clock, publicKey)
  const options = { relayers: [relayer.address], clock, random: () => 0.5 }
  const agent = async (more: object = {}) => {
    const identity = await createAgentIdentity({
      ...options,
      spiffeId: agentId,
      key: privateKey,
      ...more,
    })
    ends.push(identity.close)
    return identity
  }
  const { ca, state } = relayer
  return { clock, ca, state, relayer, options, agent, privateKey, publicKey }
}

const changed = (identity: { onChange(listener: () => void): () => void }) =>
  new Promise<void>((resolve) => {
    identity.onChange(resolve)
  })

test('an agent attests, renews at half life with a new key, and attests again within a day', async () => {
  const { agent, state, clock } = await begin()
  const identity = await agent()
  const first = identity.svid()
  expect(state).toMatchObject({ attestations: 1, renewals: 0 })
  const life = first.expiresAt - clock.wall()
  clock.advance(life * 0.44)
  expect(state.renewals).toBe(0)
  const renewed = changed(identity)
  clock.advance(life * 0.12)
  await renewed
  expect(state).toMatchObject({ attestations: 1, renewals: 1 })
  expect(identity.svid().generation).toBeGreaterThan(first.generation)
  expect(identity.svid().privateKey).not.toBe(first.privateKey)
  const last = new X509Certificate(identity.tlsOptions().cert)
  expect(last.publicKey.equals(createPublicKey(identity.tlsOptions().key))).toBe(true)
  state.life = 86_400_000
  await identity.renew()
  const proved = changed(identity)
  clock.advance(21 * 3_600_000)
  await proved
  // Half of a day's life came first and was a mere renewal; past 20 hours a proof is due.
  await identity.renew()
  expect(state.attestations).toBe(2)
})

/** Lets time pass until something is there. */
async function passing<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let done = false
  const end = () => {
    done = true
  }
  work.then(end, end)
  while (!done) {
    // Only while it waits for the clock: an answer under way takes no time of it.
    if (clock.waiting > 0) clock.advance(1_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return work
}

test.each([429, 503])('a start outlasts relayers that answer %i for a while', async (status) => {
  const { agent, state, clock } = await begin()
  Object.assign(state, { shed: 3, shedStatus: status })
  const identity = await passing(clock, agent())
  expect(identity.svid().expiresAt).toBeGreaterThan(clock.wall())
  expect(state).toMatchObject({ shed: 0, attestations: 1 })
})

test('a start gives up on relayers that stay busy, and at once on one that refuses', async () => {
  const { agent, state, clock } = await begin()
  state.shed = 100
  await expect(passing(clock, agent())).rejects.toMatchObject({ problem: { status: 503 } })
  expect(state.shed).toBe(94)
  Object.assign(state, { shed: 100, shedStatus: 401 })
  await expect(agent()).rejects.toThrow(RelayerRefusedError)
  expect(state.shed).toBe(99)
})

test('a renewal that is refused, or a relayer without its listener, falls back to attestation', async () => {
  const { agent, state } = await begin()
  const identity = await agent()
  state.renewalStatus = 401
  await identity.renew()
  expect(state).toMatchObject({ attestations: 2, renewals: 1 })
})

test('a killed agent gets AgentKilledError with the reason, at the start and at renewal, and comes back after a resume', async () => {
  const { agent, state, clock } = await begin()
  const identity = await agent()
  state.killed = true
  await expect(identity.renew()).rejects.toBeInstanceOf(AgentKilledError)
  expect(() => identity.svid()).toThrow(/leaked its key/)
  await expect(createAgentFetch(identity)('https://127.0.0.1:1/')).rejects.toBeInstanceOf(AgentKilledError)
  await expect(agent()).rejects.toMatchObject({
    name: 'AgentKilledError',
    spiffeId: agentId,
    problem: { status: 403 },
  })
  state.killed = false
  const resumed = changed(identity)
  clock.advance(60_000)
  await resumed
  expect(identity.svid().spiffeId).toBe(agentId)
})

test('a resumed agent waits its cool-down out, at the start and while it runs, and asks once a minute meanwhile', async () => {
  const { agent, state, clock } = await begin()
  const begun = clock.wall()
  state.coolsUntil = begun + 600_000
  const identity = await passing(clock, agent())
  expect(clock.wall()).toBeGreaterThanOrEqual(state.coolsUntil)
  expect(clock.wall()).toBeLessThan(state.coolsUntil + 3_000)
  expect(state.attestations).toBeGreaterThanOrEqual(10)
  expect(state.attestations).toBeLessThanOrEqual(12)

  state.killed = true
  await expect(identity.renew()).rejects.toBeInstanceOf(AgentKilledError)
  Object.assign(state, { killed: false, coolsUntil: clock.wall() + 300_000, attestations: 0 })
  const resumed = changed(identity)
  await passing(clock, resumed)
  expect(clock.wall()).toBeGreaterThanOrEqual(state.coolsUntil)
  expect(clock.wall()).toBeLessThan(state.coolsUntil + 3_000)
  expect(state.attestations).toBeLessThanOrEqual(8)
})

test('a cool-down that a vote shortens ends when it does; one relayer without it is enough', async () => {
  const { agent, state, clock, relayer, publicKey } = await begin()
  state.coolsUntil = clock.wall() + 2_592_000_000
  const starting = passing(clock, agent())
  clock.after(100_000, () => {
    state.coolsUntil = null
  })
  const begun = clock.wall()
  await starting
  expect(clock.wall()).toBeLessThan(begun + 170_000)

  state.coolsUntil = clock.wall() + 2_592_000_000
  const other = await createRelayer(feedKey, clock, publicKey)
  await agent({ relayers: [relayer.address, other.address], trustBundle: `${other.ca.bundle}` })
  expect(other.state.attestations).toBe(1)
})

test('a filled quota ends a start at once', async () => {
  const { agent, state } = await begin()
  Object.assign(state, { shed: 1, shedStatus: 402 })
  await expect(agent()).rejects.toMatchObject({ problem: { status: 402 } })
})

test('an SVID that cannot be renewed ends as NoSvidError', async () => {
  const { agent, clock } = await begin()
  const identity = await agent()
  identity.close()
  clock.advance(301_000)
  expect(() => identity.svid()).toThrow(NoSvidError)
})

test('a wrong key, a wrong relayer key and an unprotected URL are refused', async () => {
  const { agent, relayer } = await begin()
  await expect(agent({ relayers: [] })).rejects.toMatchObject({ name: 'NoRelayersError' })
  await expect(agent({ key: generateKeyPairSync('ed25519').privateKey })).rejects.toBeInstanceOf(
    RelayerRefusedError,
  )
  await expect(agent({ relayers: [{ ...relayer.address, relayer: 'B'.repeat(43) }] })).rejects.toBeInstanceOf(
    RelayerRefusedError,
  )
  await expect(
    agent({ key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }),
  ).rejects.toMatchObject({ name: 'InvalidAgentKeyError' })
  await expect(
    agent({ relayers: [relayer.address, { ...relayer.address, url: 'http://relayer.example' }] }),
  ).rejects.toBeInstanceOf(InsecureUrlError)
})

test('a relayer that answers with another SVID is refused', async () => {
  const { agent, ca } = await begin()
  const other = await ca.issue(agentOrder(uuidA, ownerA))
  const fetch = async (url: string, init: RequestInit) => {
    const answer = await globalThis.fetch(url, init)
    return url.endsWith('/agents/attest')
      ? Response.json({ svid: other.certificate, bundle: ca.bundle })
      : answer
  }
  await expect(agent({ fetch })).rejects.toMatchObject({ name: 'InvalidIssueError', field: 'svid' })
})

test('a service enrols once, keeps its SVID in a private file and renews over restarts', async () => {
  const { options, state } = await begin()
  const folder = mkdtempSync(path.join(tmpdir(), 'killswitch-sdk-'))
  ends.push(() => rmSync(folder, { recursive: true }))
  const stateFile = path.join(folder, 'svid.json')
  const service = { ...options, spiffeId: serviceId, stateFile }
  const identity = await createServiceIdentity({ ...service, token: 'once' })
  expect(statSync(stateFile).mode & 0o777).toBe(0o600)
  await identity.renew()
  identity.close()
  const again = await createServiceIdentity(service)
  again.close()
  expect(state).toMatchObject({ enrolments: 1, renewals: 2 })
  rmSync(stateFile)
  await expect(createServiceIdentity(service)).rejects.toBeInstanceOf(NotEnrolledError)
  await expect(createServiceIdentity({ ...service, token: 'once' })).rejects.toBeInstanceOf(
    RelayerRefusedError,
  )
})

/** How often something was done in vain, and what resolves when it was done so often. */
const warnings = () => {
  const waiting = new Set<() => void>()
  const messages: string[] = []
  const log: Log = {
    info: () => {},
    warn: (_, message) => {
      messages.push(message)
      for (const look of [...waiting]) look()
    },
  }
  const said = (count: number) =>
    new Promise<void>((resolve) => {
      const look = (): void => {
        if (messages.length < count) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  return { log, messages, said }
}

test('a relayer that is gone for a while is asked again at growing intervals, and the SVID is renewed', async () => {
  const { agent, state, clock } = await begin()
  const { log, said } = warnings()
  const identity = await agent({ log })
  const first = identity.svid()
  state.down = true
  clock.advance((first.expiresAt - clock.wall()) * 0.56)
  // The renewal, then the attestation in its place.
  await said(2)
  for (let failures = 2; failures < 5; failures += 1) {
    clock.advance(30_000)
    await said(2 * failures)
  }
  expect(identity.svid()).toBe(first)
  state.down = false
  const renewed = changed(identity)
  clock.advance(30_000)
  await renewed
  expect(identity.svid().generation).toBeGreaterThan(first.generation)
})

test('of several relayers the next one is asked where one does not help, and then first', async () => {
  const { agent, relayer, clock, publicKey } = await begin()
  const second = await createRelayer('B'.repeat(43), clock, publicKey)
  const identity = await agent({ relayers: [relayer.address, second.address] })
  expect([relayer.state.attestations, second.state.attestations]).toEqual([1, 0])
  relayer.state.down = true
  await identity.renew()
  // It has a CA of its own, so it wants a proof first.
  expect(second.state).toMatchObject({ attestations: 1, renewals: 0 })
  expect(identity.svid().bundle).toBe(second.ca.bundle)
  relayer.state.down = false
  await identity.renew()
  expect(second.state).toMatchObject({ attestations: 1, renewals: 1 })
  expect(relayer.state).toMatchObject({ attestations: 1, renewals: 0 })
  relayer.state.down = second.state.down = true
  await expect(identity.renew()).rejects.toMatchObject({
    name: 'NoRelayerError',
    errors: [{ name: 'RelayerUnreachableError' }, { name: 'RelayerUnreachableError' }],
  })
})

test('one relayer that calls the agent killed is enough', async () => {
  const { agent, relayer, clock, publicKey } = await begin()
  const second = await createRelayer('B'.repeat(43), clock, publicKey)
  relayer.state.killed = true
  await expect(agent({ relayers: [relayer.address, second.address] })).rejects.toBeInstanceOf(
    AgentKilledError,
  )
  expect(second.state.attestations).toBe(0)
})

test('a service keeps its SVID over a new root of its relayer', async () => {
  const { options, relayer, state } = await begin()
  const identity = await createServiceIdentity({ ...options, spiffeId: serviceId, token: 'once' })
  ends.push(identity.close)
  const before = identity.svid()
  await relayer.rotate()
  await identity.renew()
  expect(identity.svid().bundle).toBe(relayer.ca.bundle)
  expect(identity.svid().bundle).not.toBe(before.bundle)
  expect(state).toMatchObject({ enrolments: 1, renewals: 1, bundles: 1 })
})

test('roots that were given are never replaced', async () => {
  const { agent, relayer, state } = await begin()
  const { bundle } = relayer.ca
  const identity = await agent({ trustBundle: bundle })
  await relayer.rotate()
  expect(await identity.refreshBundle()).toBe(false)
  expect(state.bundles).toBe(0)
  expect(identity.svid().bundle).toBe(bundle)
})

test('a service below a new root is reached once the roots are fetched, at most every ten seconds', async () => {
  const { agent, relayer, state, clock } = await begin()
  const identity = await agent()
  await relayer.rotate()
  const order = { spiffeId: serviceId, deployment: deploymentId(deployment) }
  const serve = async (ca: Awaited<ReturnType<typeof createCa>>) => {
    const { certificate, privateKey } = await ca.issue(order)
    const server = createServer(
      { cert: certificate, key: privateKey, minVersion: 'TLSv1.3' },
      (_, response) => response.end('served'),
    )
    const { port, close } = await listen(server)
    ends.push(close)
    return `https://127.0.0.1:${port}`
  }
  const [known, unknown] = [await serve(relayer.ca), await serve(await createCa())]
  const fetch = createAgentFetch(identity)
  ends.push(fetch.close)
  expect(await (await fetch(known)).text()).toBe('served')
  expect(state.bundles).toBe(1)
  await expect(fetch(unknown)).rejects.toMatchObject({ code: expect.stringMatching(/UNABLE|SELF_SIGNED/) })
  expect(state.bundles).toBe(1)
  clock.advance(10_000)
  await expect(fetch(unknown)).rejects.toMatchObject({ code: expect.stringMatching(/UNABLE|SELF_SIGNED/) })
  expect(state.bundles).toBe(2)
})

test.each([
  ['behind', -1_200_000],
  ['ahead', 200_000],
])('an agent whose clock is %s renews before the SVID really ends', async (_, skew) => {
  const { agent, clock, state } = await begin()
  // The agent's own clock is wrong; the relayer's is not.
  const identity = await agent({ clock: { ...clock, wall: () => clock.wall() + skew } })
  const renewed = changed(identity)
  clock.advance(170_000)
  await renewed
  expect(state.renewals + state.attestations).toBe(2)
})

test('after a suspend the SVID is renewed within ten seconds of waking', async () => {
  const { agent, clock } = await begin()
  const identity = await agent()
  // Of the hour neither timers nor the monotonic clock know.
  clock.jump(3_600_000)
  expect(() => identity.svid()).toThrow(NoSvidError)
  const renewed = changed(identity)
  clock.advance(10_000)
  await renewed
  expect(identity.svid().expiresAt).toBeGreaterThan(clock.wall())
})

test('fetch over mutual TLS streams both ways, shows the SVID of the moment and judges the server', async () => {
  const { agent, ca } = await begin()
  const identity = await agent()
  const order = { spiffeId: serviceId, deployment: deploymentId(deployment) }
  const served = await ca.issue(order)
  const generations: (string | undefined)[] = []
  const reused: boolean[] = []
  const server = createServer(
    {
      cert: served.certificate,
      key: served.privateKey,
      ca: ca.bundle,
      requestCert: true,
      minVersion: 'TLSv1.3',
    },
    (request, response) => {
      const socket = request.socket as TLSSocket
      reused.push(socket.isSessionReused())
      generations.push(/serialNumber=(\d+)/.exec(socket.getPeerX509Certificate()?.subject ?? '')?.[1])
      response.writeHead(request.url === '/moved' ? 302 : 200, {
        'set-cookie': ['a=1', 'b=2'],
        location: '/',
      })
      if (request.url === '/empty') response.end()
      else request.pipe(response)
    },
  )
  const { port, close } = await listen(server)
  ends.push(close)
  const url = `https://127.0.0.1:${port}`
  const fetch = createAgentFetch(identity, { expected: serviceId })
  ends.push(fetch.close)
  const echo = await fetch(url, { method: 'POST', body: 'hello' })
  expect(echo.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  expect(await echo.text()).toBe('hello')
  // The second of these needs a new connection; it must not resume the session of the first.
  await Promise.all([fetch(`${url}/empty`), fetch(`${url}/empty`)].map(async (one) => (await one).text()))

  // The second part is sent only after the first has come back: nothing is gathered on the way.
  let sendMore: (text: string | null) => void = () => {}
  const upload = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('one'))
      sendMore = (text) =>
        text === null ? controller.close() : controller.enqueue(new TextEncoder().encode(text))
    },
  })
  const streaming = await fetch(`${url}/stream`, {
    method: 'POST',
    body: upload,
    duplex: 'half',
  } as RequestInit)
  const reader = (streaming.body as ReadableStream<Uint8Array>).getReader()
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('one')
  sendMore('two')
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('two')
  sendMore(null)
  expect((await reader.read()).done).toBe(true)

  await identity.renew()
  expect((await fetch(`${url}/moved`)).status).toBe(302)
  expect(new Set(generations).size).toBe(2)
  expect(reused).not.toContain(true)

  const aborted = AbortSignal.abort()
  await expect(fetch(url, { signal: aborted })).rejects.toMatchObject({ name: 'AbortError' })
  await expect(fetch(url.replace('https', 'http'))).rejects.toMatchObject({ name: 'NotHttpsError' })
  const wrong = createAgentFetch(identity, { expected: `spiffe://${trustDomain}/service/other` })
  ends.push(wrong.close)
  await expect(wrong(url)).rejects.toMatchObject({ name: 'UnexpectedServerError' })
})
