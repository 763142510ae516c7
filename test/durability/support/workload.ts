import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { request } from 'node:https'
import { attestationMessage } from '../../../protocol/attestation.ts'
import { toBase64Url } from '../../../protocol/bytes.ts'
import { createCsr } from '../../../sdk/agent/csr.ts'
import { type TestAgent, trustDomain, until } from '../../relayer/world.ts'
import type { RelayerAddress } from './relayerProcess.ts'

/** A relayer's answer; null when none came. */
export type Answer = { readonly status: number; readonly body: Record<string, unknown> } | null

export async function post(
  url: string,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  try {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  } catch {
    return null
  }
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** Serial of the certificate in an answer, as the store writes it. */
export const serialIn = (body: Record<string, unknown>): string =>
  new X509Certificate(String(body.svid)).serialNumber.toLowerCase()

/** Asks for an SVID with the agent's registered key. */
export async function attest({ url, relayer }: RelayerAddress, agent: TestAgent): Promise<Answer> {
  const { pem, spki } = createCsr(newKeys())
  const challenge = await post(url, '/agents/challenges', {})
  if (challenge?.status !== 200) return null
  const message = attestationMessage({
    trustDomain,
    relayer,
    challenge: String(challenge.body.challenge),
    spiffeId: agent.spiffeId,
    spki,
  })
  return post(url, '/agents/attest', {
    spiffeId: agent.spiffeId,
    challenge: challenge.body.challenge,
    proof: toBase64Url(sign(null, message, agent.privateKey)),
    csr: pem,
  })
}

export type Point = {
  readonly spiffeId: string
  readonly key: string
  readonly svid: string
  readonly bundle: string
}

/** Enrols an enforcement point. @param token of the operator */
export async function enrol(url: string, token: string, spiffeId: string): Promise<Point> {
  const keys = newKeys()
  const { pem } = createCsr(keys)
  // On a busy machine a relayer may serve kills only for a moment.
  const answer = await until('the enrolment', async () => {
    const one = await post(url, '/enrolments', { csr: pem }, { authorization: `Bearer ${token}` })
    return one?.status === 503 ? null : { one }
  }).then(({ one }) => one)
  if (answer?.status !== 200) throw new Error(`not enrolled: ${JSON.stringify(answer)}`)
  return {
    spiffeId,
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    svid: String(answer.body.svid),
    bundle: String(answer.body.bundle),
  }
}

/** Acknowledges the feed up to a number. @returns the status; null when no answer came */
export const acknowledge = (
  mtlsUrl: string,
  point: Point,
  epoch: string,
  number: number,
): Promise<number | null> =>
  new Promise((resolve) => {
    const outgoing = request(
      new URL('/acknowledgements', mtlsUrl),
      {
        method: 'POST',
        agent: false,
        key: point.key,
        cert: point.svid,
        ca: point.bundle,
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode ?? null))
        response.on('error', () => resolve(null))
      },
    )
    outgoing.on('error', () => resolve(null))
    outgoing.end(JSON.stringify({ epoch, number }))
  })
