// Asks a relayer for SVIDs as fast as it answers: keys and requests are made beforehand, so that little but the
// relayer is measured.
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { Agent, request } from 'node:http'
import { request as secureRequest } from 'node:https'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { attestationMessage } from '../../protocol/attestation.ts'
import { toBase64Url } from '../../protocol/bytes.ts'
import { monotonicNow } from '../../scripts/lib/monotonic.ts'
import { onParent, tellParent } from '../../scripts/lib/parent.ts'
import { createCsr } from '../../sdk/agent/csr.ts'
import { checkServer } from '../../sdk/client/serverIdentity.ts'
import type { IssueCommand, IssueMessage, IssueSetup } from '../lib/issueMessages.ts'
import { loopbackAddress } from '../lib/loopback.ts'

type Svid = { readonly svid: string; readonly bundle: string }
type Prepared = { readonly csr: string; readonly spki: Uint8Array; readonly key: string }

const prepare = (): Prepared => {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { pem, spki } = createCsr(keys)
  return { csr: pem, spki, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

type Call = {
  readonly url: URL
  readonly body: unknown
  /** On whose behalf: each agent has its own address, or one of as many as there are. */
  readonly caller: number
  readonly tls?: object
}

/** ms until a call that was shed is made again */
const shedPause = 250
let shed = 0

const postOnce = (call: Call, agent: Agent | false): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const payload = JSON.stringify(call.body)
    const outgoing = (call.url.protocol === 'https:' ? secureRequest : request)(
      call.url,
      {
        method: 'POST',
        agent,
        localAddress: loopbackAddress('agents', call.caller),
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) },
        ...call.tls,
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
    outgoing.on('error', reject)
    outgoing.end(payload)
  })

/** As a client does it: what the relayer sheds is asked for again. */
async function post<T>(call: Call, agent: Agent | false): Promise<T> {
  for (;;) {
    const { status, text } = await postOnce(call, agent)
    if (status === 200) return JSON.parse(text) as T
    if (status !== 503 && status !== 429) throw new Error(`${call.url.pathname}: ${status} ${text}`)
    shed += 1
    await sleep(shedPause * (0.5 + Math.random()))
  }
}

/** Runs a task for each index, `parallel` at a time; resolves with what each took in ms. */
async function timed(count: number, parallel: number, task: (index: number) => Promise<void>) {
  const each: number[] = []
  const from = monotonicNow()
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) {
      const index = next++
      const started = monotonicNow()
      await task(index)
      each.push(monotonicNow() - started)
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  const counted = { total: monotonicNow() - from, each, shed }
  shed = 0
  return counted
}

function createClient({ relayer, trustDomain, agents, parallel }: IssueSetup) {
  const agent = new Agent({ keepAlive: true, maxSockets: parallel })
  const fleet = agents.map(({ spiffeId, privateKey }) => ({
    spiffeId,
    key: createPrivateKey(privateKey) as KeyObject,
    first: prepare(),
    second: prepare(),
    held: null as Svid | null,
  }))
  const at = (path: string): URL => new URL(path, relayer.url)
  return {
    attest: () =>
      timed(fleet.length, parallel, async (index) => {
        const one = fleet[index] as (typeof fleet)[number]
        const { spiffeId, key, first } = one
        const { challenge } = await post<{ challenge: string }>(
          { url: at('/agents/challenges'), body: {}, caller: index },
          agent,
        )
        const message = attestationMessage({
          trustDomain,
          relayer: relayer.relayer,
          challenge,
          spiffeId,
          spki: first.spki,
        })
        const proof = toBase64Url(sign(null, message, key))
        const body = { spiffeId, challenge, proof, csr: first.csr }
        one.held = await post<Svid>({ url: at('/agents/attest'), body, caller: index }, agent)
      }),
    // On a connection of its own each: only the latest SVID renews, and a connection shows one for all its life.
    renew: () =>
      timed(fleet.length, parallel, async (index) => {
        const one = fleet[index] as (typeof fleet)[number]
        const { svid, bundle } = one.held as Svid
        await post<Svid>(
          {
            url: new URL('/svid/renew', relayer.mtlsUrl),
            body: { csr: one.second.csr },
            caller: index,
            tls: {
              cert: svid,
              key: one.first.key,
              ca: bundle,
              minVersion: 'TLSv1.3',
              checkServerIdentity: checkServer(trustDomain, (server) => server.type === 'relayer'),
            },
          },
          false,
        )
      }),
  }
}

const fail = (error: unknown): never => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

onParent<IssueSetup>('setup', (setup) => {
  const client = createClient(setup)
  onParent<IssueCommand>('issue', ({ road }) => {
    client[road]().then((took) => tellParent<IssueMessage>({ type: 'issued', ...took }), fail)
  })
  tellParent<IssueMessage>({ type: 'ready' })
})
process.channel?.ref()
process.once('SIGTERM', () => process.exit(0))
