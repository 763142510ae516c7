import { fromBase64Url } from '../../protocol/bytes.ts'
import { BadProofError, UnusableAgentKeyError, verifyAttestation } from './attestation.ts'
import { type Challenges, ExpiredChallengeError, UnknownChallengeError } from './challenges.ts'
import { InvalidCsrError, readCsr } from './csr.ts'
import type { Issuance } from './issuance.ts'
import { IssuanceRefusedError } from './issuanceRefused.ts'
import type { SvidRecord } from './svidRecord.ts'

export type AttestationRequest = {
  readonly spiffeId: string
  readonly challenge: string
  /** base64url */
  readonly proof: string
  /** PEM */
  readonly csr: string
}

/** The CSR's public key, DER. @throws {IssuanceRefusedError} */
export function spkiOf(csr: string): Uint8Array {
  try {
    return readCsr(csr).spki
  } catch (error) {
    if (error instanceof InvalidCsrError)
      throw new IssuanceRefusedError('bad request', 'csr', csr.slice(0, 60), error.message)
    throw error
  }
}

const refusals = [BadProofError, UnusableAgentKeyError, UnknownChallengeError, ExpiredChallengeError]

/** How an agent comes by an SVID: it proves its registered key over a challenge. @throws {IssuanceRefusedError} */
export const createAttest =
  (options: {
    readonly challenges: Challenges
    readonly issuance: Pick<Issuance, 'keyOf' | 'attested'>
    readonly trustDomain: string
    /** Feed public key, base64url. */
    readonly relayer: string
  }): ((request: AttestationRequest) => Promise<SvidRecord>) =>
  async ({ spiffeId, challenge, proof, csr }) => {
    const { challenges, issuance, trustDomain, relayer } = options
    const spki = spkiOf(csr)
    const key = issuance.keyOf(spiffeId)
    try {
      verifyAttestation(challenges, {
        message: { trustDomain, relayer, challenge, spiffeId, spki },
        key,
        proof: fromBase64Url(proof),
      })
    } catch (error) {
      if (!refusals.some((kind) => error instanceof kind)) throw error
      throw new IssuanceRefusedError('bad proof', 'proof', spiffeId, (error as Error).message, { spiffeId })
    }
    return issuance.attested(spiffeId, spki)
  }
