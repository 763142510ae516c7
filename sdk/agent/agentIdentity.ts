import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { attestationMessage } from '../../protocol/attestation.ts'
import { toBase64Url } from '../../protocol/bytes.ts'
import { parseSpiffeId } from '../../protocol/spiffeId.ts'
import { callPublic } from '../client/relayerCall.ts'
import { urlUnder } from '../client/secureUrl.ts'
import { callTimeout, holdIdentity, type Identity, type IdentityOptions } from './identity.ts'
import { InvalidIssueError } from './svid.ts'

export type AgentIdentityOptions = IdentityOptions & {
  /** The agent's registered Ed25519 key: PKCS #8 PEM, or a key object. */
  readonly key: string | KeyObject
}

export class InvalidAgentKeyError extends Error {
  override readonly name = 'InvalidAgentKeyError'
  readonly keyType: string
  constructor(keyType: string) {
    super(`the agent's key is ${keyType}; give the registered Ed25519 private key (PKCS #8 PEM)`)
    this.keyType = keyType
  }
}

/** How often the registered key is proved again although renewals would do, in ms: below the relayer's one day. */
const proofPeriod = 20 * 3_600_000

function privateKeyOf(key: string | KeyObject): KeyObject {
  let parsed: KeyObject
  try {
    parsed = typeof key === 'string' ? createPrivateKey(key) : key
  } catch {
    // The cause could quote the key.
    throw new InvalidAgentKeyError('unreadable')
  }
  if (parsed.type !== 'private' || parsed.asymmetricKeyType !== 'ed25519') {
    throw new InvalidAgentKeyError(`${parsed.type} ${parsed.asymmetricKeyType ?? ''}`.trim())
  }
  return parsed
}

/**
 * An agent's identity: attests with the registered key (docs/protocol.md, Identities), then renews by itself.
 * @throws {AgentKilledError | InvalidAgentKeyError | InsecureUrlError | RelayerRefusedError | RelayerUnreachableError | InvalidIssueError}
 */
export async function createAgentIdentity(options: AgentIdentityOptions): Promise<Identity> {
  const { spiffeId, fetch = globalThis.fetch } = options
  const key = privateKeyOf(options.key)
  const { trustDomain } = parseSpiffeId(spiffeId)
  return holdIdentity(options, {
    proofPeriod,
    issue: async ({ pem, spki }, { url, relayer }) => {
      const post = (path: string, body: unknown) =>
        callPublic({ url: urlUnder(url, path), body, fetch, timeout: callTimeout })
      const { challenge } = ((await post('/agents/challenges', {})) ?? {}) as { challenge?: unknown }
      if (typeof challenge !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(challenge)) {
        throw new InvalidIssueError('challenge', 'is not 32 bytes in base64url')
      }
      const message = attestationMessage({ trustDomain, relayer, challenge, spiffeId, spki })
      const proof = toBase64Url(sign(null, message, key))
      return post('/agents/attest', { spiffeId, challenge, proof, csr: pem })
    },
  })
}
