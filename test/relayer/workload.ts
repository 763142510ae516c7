import 'reflect-metadata'
import { type KeyObject, sign } from 'node:crypto'
import { request } from 'node:https'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { attestationMessage } from '../../protocol/attestation.ts'
import { toBase64Url } from '../../protocol/bytes.ts'
import type { TestAgent, TestRelayer } from './world.ts'
import { trustDomain } from './world.ts'

/** A P-256 key with its CSR, made by another implementation than the relayer's. */
export async function makeKey() {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const csr = await Pkcs10CertificateRequestGenerator.create({
    name: 'CN=ignored',
    keys,
    signingAlgorithm: algorithm,
  })
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    csr: csr.toString('pem'),
    spki: new Uint8Array(await crypto.subtle.exportKey('spki', keys.publicKey)),
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
  }
}

export type Workload = {
  readonly key: string
  readonly svid: string
  readonly expiresAt: number
  readonly generation: number
}

const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

/** Sends an attestation; `change` alters what is proved or sent. */
export async function attest(
  relayer: TestRelayer,
  agent: TestAgent,
  change: { signWith?: KeyObject; challenge?: string; relayer?: string; sent?: object } = {},
) {
  const { csr, spki, key } = await makeKey()
  const challenge =
    change.challenge ??
    ((await (await post(`${relayer.url}/agents/challenges`, {})).json()) as { challenge: string }).challenge
  const message = attestationMessage({
    trustDomain,
    relayer: change.relayer ?? relayer.relayer,
    challenge,
    spiffeId: agent.spiffeId,
    spki,
  })
  const proof = toBase64Url(sign(null, message, change.signWith ?? agent.privateKey))
  const body = { spiffeId: agent.spiffeId, challenge, proof, csr, ...change.sent }
  const response = await post(`${relayer.url}/agents/attest`, body)
  return { response, key, body }
}

/** @throws when the relayer refuses */
export async function attested(relayer: TestRelayer, agent: TestAgent): Promise<Workload> {
  const { response, key } = await attest(relayer, agent)
  if (!response.ok) throw new Error(await response.text())
  return { key, ...((await response.json()) as Omit<Workload, 'key'>) }
}

export async function enrol(relayer: TestRelayer, token: string) {
  const { csr, key } = await makeKey()
  return {
    key,
    response: await post(`${relayer.url}/enrolments`, { csr }, { authorization: `Bearer ${token}` }),
  }
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
