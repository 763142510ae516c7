import { type KeyObject, randomUUID, sign } from 'node:crypto'
import { request } from 'node:https'
import { attestationMessage } from '../../protocol/attestation.ts'
import { toBase64Url } from '../../protocol/bytes.ts'
import { openOperatorSecret } from '../../relayer/identity/operatorSecret.ts'
import { type OperatorStatement, signStatement } from '../../relayer/identity/operatorStatement.ts'
import { makeKey } from './makeKey.ts'
import type { TestAgent, TestRelayer } from './world.ts'
import { trustDomain } from './world.ts'

export type Workload = {
  readonly key: string
  readonly svid: string
  readonly expiresAt: number
  readonly generation: number
}

/** Sends an attestation; `change` alters what is proved or sent. */
export async function attest(
  relayer: TestRelayer,
  agent: TestAgent,
  change: { signWith?: KeyObject; challenge?: string; relayer?: string; sent?: object } = {},
) {
  const { csr, spki, key } = await makeKey()
  const challenge =
    change.challenge ??
    ((await (await relayer.post('/agents/challenges', {})).json()) as { challenge: string }).challenge
  const message = attestationMessage({
    trustDomain,
    relayer: change.relayer ?? relayer.relayer,
    challenge,
    spiffeId: agent.spiffeId,
    spki,
  })
  const proof = toBase64Url(sign(null, message, change.signWith ?? agent.privateKey))
  const body = { spiffeId: agent.spiffeId, challenge, proof, csr, ...change.sent }
  const response = await relayer.post('/agents/attest', body)
  return { response, key, body }
}

/** @throws when the relayer refuses */
export async function attested(relayer: TestRelayer, agent: TestAgent): Promise<Workload> {
  const { response, key } = await attest(relayer, agent)
  if (!response.ok) throw new Error(await response.text())
  return { key, ...((await response.json()) as Omit<Workload, 'key'>) }
}

export const service = `spiffe://${trustDomain}/service/payments`

/** What the operator of a relayer says; by default that a service may enrol. */
export const statement = (relayer: TestRelayer, change: Partial<OperatorStatement> = {}): string =>
  signStatement(openOperatorSecret(relayer.data), {
    action: 'enrol',
    id: randomUUID(),
    issuedAt: Date.now(),
    spiffeId: service,
    expiresAt: Date.now() + 60_000,
    ...change,
  })

export async function enrol(relayer: TestRelayer, token: string) {
  const { csr, key } = await makeKey()
  return {
    key,
    response: await relayer.post('/enrolments', { csr }, { authorization: `Bearer ${token}` }),
  }
}

/** @throws when the relayer refuses */
export async function enrolled(relayer: TestRelayer, spiffeId = service): Promise<Workload> {
  const { key, response } = await enrol(relayer, statement(relayer, { spiffeId }))
  if (!response.ok) throw new Error(await response.text())
  return { key, ...((await response.json()) as Omit<Workload, 'key'>) }
}

/** POSTs over mutual TLS, on a connection of its own. */
export const postAs = (
  relayer: TestRelayer,
  workload: Workload | null,
  path: string,
  body: unknown,
): Promise<{ status: number; json: Record<string, unknown> }> =>
  new Promise((resolve, reject) => {
    const url = new URL(path, relayer.mtlsUrl)
    const identity = workload === null ? {} : { key: workload.key, cert: workload.svid }
    const outgoing = request(
      url,
      {
        method: 'POST',
        agent: false,
        ca: relayer.bundle,
        ...identity,
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () =>
          resolve({ status: response.statusCode as number, json: text === '' ? {} : JSON.parse(text) }),
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.end(JSON.stringify(body))
  })
