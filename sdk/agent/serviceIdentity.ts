import { createPrivateKey } from 'node:crypto'
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { type Clock, systemClock } from '../client/clock.ts'
import { describeError, silentLog } from '../client/log.ts'
import { callPublic } from '../client/relayerCall.ts'
import { urlUnder } from '../client/secureUrl.ts'
import { callTimeout, holdIdentity, type Identity, type IdentityOptions } from './identity.ts'
import { type HeldSvid, readIssued } from './svid.ts'

export type ServiceIdentityOptions = IdentityOptions & {
  /** The operator's one-use token; read it from a file or the environment. Not needed while `stateFile` holds a valid SVID. */
  readonly token?: string
  /** Keeps key and SVID over restarts (mode 0600); the token is used up by the first enrolment. */
  readonly stateFile?: string
}

/** The service has no token and no valid SVID. */
export class NotEnrolledError extends Error {
  override readonly name = 'NotEnrolledError'
  readonly spiffeId: string
  constructor(spiffeId: string) {
    super(`${spiffeId} has no valid SVID any more; have the relayer's operator issue a new enrolment token`)
    this.spiffeId = spiffeId
  }
}

/** What the file holds, if it is of this service and still valid. */
function load(file: string, options: ServiceIdentityOptions, clock: Clock): HeldSvid | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return null
  }
  try {
    const state = JSON.parse(text) as Record<string, unknown>
    return readIssued(
      { svid: state.certificate, bundle: state.bundle },
      {
        spiffeId: options.spiffeId,
        privateKey: createPrivateKey(String(state.privateKey)),
        bundle: options.trustBundle,
        wall: clock.wall(),
      },
    )
  } catch (error) {
    options.log?.info({ spiffeId: options.spiffeId }, `the saved SVID is of no use: ${describeError(error)}`)
    return null
  }
}

function save(file: string, { certificate, privateKey, bundle }: HeldSvid): void {
  const next = `${file}.new`
  writeFileSync(next, JSON.stringify({ certificate, privateKey, bundle }), { mode: 0o600 })
  // The mode of writeFileSync counts only for a file that it creates.
  chmodSync(next, 0o600)
  renameSync(next, file)
}

/**
 * The identity of a workload that an operator enrols (a service, an enforcement point): enrols once with the token,
 * then renews by itself.
 * @throws {NotEnrolledError | InsecureUrlError | RelayerRefusedError | RelayerUnreachableError | InvalidIssueError}
 */
export async function createServiceIdentity(options: ServiceIdentityOptions): Promise<Identity> {
  const { spiffeId, stateFile, fetch = globalThis.fetch } = options
  const { clock = systemClock, log = silentLog } = options
  let token = options.token
  const identity = await holdIdentity(options, {
    proofPeriod: Number.POSITIVE_INFINITY,
    held: stateFile === undefined ? null : load(stateFile, options, clock),
    issue: async ({ pem }, relayer) => {
      if (token === undefined) throw new NotEnrolledError(spiffeId)
      const url = urlUnder(relayer.url, '/enrolments')
      const answer = await callPublic({ url, body: { csr: pem }, token, fetch, timeout: callTimeout })
      token = undefined
      return answer
    },
  })
  const keep = (): void => {
    if (stateFile === undefined) return
    try {
      save(stateFile, identity.svid())
    } catch (error) {
      log.warn({ spiffeId, stateFile }, `the SVID is not saved: ${describeError(error)}`)
    }
  }
  keep()
  identity.onChange(keep)
  return identity
}
