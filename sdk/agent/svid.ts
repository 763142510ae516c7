import { type KeyObject, X509Certificate } from 'node:crypto'
import { formatSpiffeId } from '../../protocol/spiffeId.ts'
import { readSvid } from '../../protocol/x509/readSvid.ts'
import type { TlsMaterial } from '../client/mutualTls.ts'

/** An SVID with its key, as held by its bearer. PEM; times in ms. */
export type HeldSvid = TlsMaterial & {
  readonly spiffeId: string
  readonly generation: number
  readonly notBefore: number
  readonly expiresAt: number
}

/** A relayer answered with something that is not the SVID that was asked for. */
export class InvalidIssueError extends Error {
  override readonly name = 'InvalidIssueError'
  readonly field: string
  constructor(field: string, why: string, cause?: unknown) {
    super(`the relayer's answer is not the SVID that was asked for: ${field} ${why}`, { cause })
    this.field = field
  }
}

function textField(answer: unknown, field: string): string {
  const value =
    typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>)[field] : undefined
  if (typeof value !== 'string' || value === '') throw new InvalidIssueError(field, 'is no text')
  return value
}

/**
 * Checks an answer of `/agents/attest`, `/svid/renew` or `/enrolments` before it is relied on.
 * @param bundle roots that are trusted already; without them those of the answer are taken
 * @throws {InvalidIssueError}
 */
export function readIssued(
  answer: unknown,
  asked: {
    readonly spiffeId: string
    readonly privateKey: KeyObject
    readonly bundle: string | undefined
    readonly wall: number
  },
): HeldSvid {
  const certificate = textField(answer, 'svid')
  const bundle = asked.bundle ?? textField(answer, 'bundle')
  let leaf: X509Certificate
  let read: ReturnType<typeof readSvid>
  try {
    leaf = new X509Certificate(certificate)
    read = readSvid(leaf.raw)
    // What is no certificate at all would only be noticed at the first connection.
    new X509Certificate(bundle)
  } catch (cause) {
    throw new InvalidIssueError('svid', 'or its bundle is unreadable', cause)
  }
  const spiffeId = formatSpiffeId(read.claims.spiffeId)
  if (spiffeId !== asked.spiffeId)
    throw new InvalidIssueError('svid', `is of ${spiffeId}, not ${asked.spiffeId}`)
  if (!leaf.checkPrivateKey(asked.privateKey)) throw new InvalidIssueError('svid', 'is for another key')
  if (read.notAfter <= asked.wall) {
    throw new InvalidIssueError(
      'svid',
      `ended ${asked.wall - read.notAfter} ms ago by our clock; check the clocks`,
    )
  }
  return {
    spiffeId,
    generation: read.claims.generation,
    notBefore: read.notBefore,
    expiresAt: read.notAfter,
    certificate,
    privateKey: asked.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    bundle,
  }
}
