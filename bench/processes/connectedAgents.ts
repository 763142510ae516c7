// Many agents in one process, as light as they can be: real identities, real mutual TLS, and requests written by hand.
import process from 'node:process'
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import type { ServiceAddress } from '../../scripts/lib/messages.ts'
import { monotonicNow } from '../../scripts/lib/monotonic.ts'
import { childLog, onParent, tellParent } from '../../scripts/lib/parent.ts'
import { createAgentIdentity } from '../../sdk/agent/agentIdentity.ts'
import type { Identity } from '../../sdk/agent/identity.ts'
import { describeError } from '../../sdk/client/log.ts'
import { checkServer } from '../../sdk/client/serverIdentity.ts'
import type { ConnectedMessage, ConnectedSetup, StartCommand } from '../lib/fleetMessages.ts'

/** How many agents are attested, and connect, at once. */
const parallel = 16
/** ms; a refused agent tries less and less often, since each try is a TLS handshake. */
const firstPause = 500
const longestPause = 8_000
/** Between two requests of a connection before the start, in ms: a server ends one that is idle for 5 s (Node's default). */
const idlePace = 3_000
/** Answers that do not come hold a connection up no longer than this, in ms. */
const answerTimeout = 5_000

const answerStart = Buffer.from('HTTP/1.1 ')
const okStart = Buffer.from('HTTP/1.1 200')

const counts = { sent: 0, accepted: 0, refused: 0, closed: 0, late: 0 }

type Link = {
  /** Sends a request, if the one before is answered. */
  ask(): void
  readonly served: Promise<void>
}

/** One connection to one service, made again after it was cut. */
function createLink(options: {
  /** Of the SVID of this moment. */
  readonly context: () => SecureContext
  readonly trustDomain: string
  readonly service: ServiceAddress
}): Link {
  const url = new URL(options.service.url)
  const request = Buffer.from(`GET /work HTTP/1.1\r\nhost: ${url.host}\r\n\r\n`)
  let socket: TLSSocket | null = null
  let waitingSince: number | null = null
  let pause = firstPause
  let resolveServed = () => {}
  const served = new Promise<void>((resolve) => {
    resolveServed = resolve
  })

  const open = (): void => {
    let secureContext: SecureContext
    try {
      secureContext = options.context()
    } catch {
      // Killed: the relayer has refused to renew.
      return
    }
    const made = connect({
      host: url.hostname,
      port: Number(url.port),
      secureContext,
      checkServerIdentity: checkServer(options.trustDomain, options.service.spiffeId),
    })
    made.setNoDelay(true)
    made.once('secureConnect', () => {
      socket = made
      waitingSince = null
      ask()
    })
    made.on('data', (chunk: Buffer) => {
      // One request is under way at a time, so what begins like an answer is the answer.
      if (!chunk.subarray(0, answerStart.length).equals(answerStart)) return
      waitingSince = null
      if (chunk.subarray(0, okStart.length).equals(okStart)) {
        counts.accepted += 1
        pause = firstPause
        resolveServed()
      } else counts.refused += 1
    })
    made.on('error', () => {})
    made.once('close', () => {
      if (socket === made) counts.closed += 1
      socket = null
      setTimeout(open, pause * (0.5 + Math.random()))
      pause = Math.min(pause * 2, longestPause)
    })
  }

  const ask = (): void => {
    if (socket === null) return
    if (waitingSince !== null) {
      counts.late += 1
      if (monotonicNow() - waitingSince > answerTimeout) socket.destroy()
      return
    }
    waitingSince = monotonicNow()
    counts.sent += 1
    socket.write(request)
  }

  open()
  return { ask, served }
}

/** Until the relayer gives an identity: a fresh registration first has to reach its grant point. */
async function attest(setup: ConnectedSetup, agent: ConnectedSetup['agents'][number]): Promise<Identity> {
  for (;;) {
    try {
      return await createAgentIdentity({
        relayers: [setup.relayer],
        spiffeId: agent.spiffeId,
        key: agent.privateKey,
      })
    } catch (error) {
      childLog.warn({ spiffeId: agent.spiffeId }, `attestation: ${describeError(error)}`)
      await new Promise((resolve) => setTimeout(resolve, firstPause))
    }
  }
}

const connected: (readonly Link[])[] = []
const idling = new Set<NodeJS.Timeout>()

const keepOpen = (links: readonly Link[]): void => {
  idling.add(
    setInterval(() => {
      for (const link of links) link.ask()
    }, idlePace),
  )
}

/** Each agent calls its services in turn. */
function callOn(interval: number): void {
  for (const timer of idling) clearInterval(timer)
  for (const links of connected) {
    let turn = Math.floor(Math.random() * links.length)
    // Agents that start together must not call together.
    setTimeout(
      () =>
        setInterval(() => {
          turn = (turn + 1) % links.length
          links[turn]?.ask()
        }, interval),
      Math.random() * interval,
    )
  }
}

async function run(setup: ConnectedSetup): Promise<void> {
  const waiting = [...setup.agents]
  const work = async (): Promise<void> => {
    for (let agent = waiting.shift(); agent !== undefined; agent = waiting.shift()) {
      const identity = await attest(setup, agent)
      const context = (): SecureContext => {
        const { certificate, privateKey, bundle } = identity.tls()
        return createSecureContext({ cert: certificate, key: privateKey, ca: bundle, minVersion: 'TLSv1.3' })
      }
      // One for all its services, for it costs as much as a handshake.
      let made: SecureContext | null = null
      identity.onChange(() => {
        made = null
      })
      const shared = (): SecureContext => {
        made ??= context()
        return made
      }
      const links = setup.services.map((service) =>
        createLink({ context: shared, trustDomain: setup.trustDomain, service }),
      )
      await Promise.all(links.map(({ served }) => served))
      connected.push(links)
      keepOpen(links)
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
}

onParent<ConnectedSetup>('setup', (setup) => {
  run(setup).then(
    () => tellParent<ConnectedMessage>({ type: 'ready' }),
    (error: unknown) => {
      process.stderr.write(`${describeError(error)}\n`)
      process.exit(1)
    },
  )
})
onParent<StartCommand>('start', ({ interval }) => callOn(interval))
onParent<{ readonly type: 'count' }>('count', () =>
  tellParent<ConnectedMessage>({ type: 'counted', ...counts }),
)
process.channel?.ref()
process.once('SIGTERM', () => process.exit(0))
