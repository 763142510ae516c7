// Demo agents: each has an identity of its own and calls the services over mutual TLS, whatever they answer.
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAgentFetch } from '../../sdk/agent/agentFetch.ts'
import { createAgentIdentity } from '../../sdk/agent/agentIdentity.ts'
import { AgentKilledError, type Identity } from '../../sdk/agent/identity.ts'
import { describeError } from '../../sdk/client/log.ts'
import { problemBase } from '../../sdk/client/problem.ts'
import type {
  AgentsMessage,
  AgentsSetup,
  AgentView,
  Attempt,
  Outcome,
  ServiceAddress,
} from '../lib/messages.ts'
import { monotonicNow } from '../lib/monotonic.ts'
import { childLog, onParent, tellParent } from '../lib/parent.ts'

/** All in ms. A refused agent tries less often: each try is a TLS handshake. */
const callTimeout = 5_000
const refusedPause = 400
const attestPause = 500
const resumePause = 5_000
const viewPeriod = 500
/** Over how long requests per second are counted. */
const rateWindow = 2_000

/** Codes of connections that the other side ended. */
const closedCodes: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED'])

type Answer = { readonly outcome: Outcome; readonly detail: string }

type DemoAgent = { view(): AgentView }

async function ask(call: () => Promise<Response>): Promise<Answer> {
  try {
    const response = await call()
    const body = await response.text()
    if (response.ok) return { outcome: 'accepted', detail: `${response.status}` }
    const problem = JSON.parse(body) as { type?: string; title?: string; reason?: string }
    return problem.type === `${problemBase}agent-killed`
      ? { outcome: 'killed', detail: `${response.status} killed: ${problem.reason ?? 'no reason'}` }
      : { outcome: 'failed', detail: `${response.status} ${problem.title ?? ''}` }
  } catch (error) {
    if (error instanceof AgentKilledError) return { outcome: 'killed', detail: 'no identity: killed' }
    const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } }
    if (closedCodes.has(code) || closedCodes.has(cause?.code))
      return { outcome: 'closed', detail: 'connection closed' }
    return { outcome: 'failed', detail: describeError(error) }
  }
}

/** Tries until the relayer gives an identity: a fresh registration first has to reach its grant point. */
async function attest(setup: AgentsSetup, agent: AgentsSetup['agents'][number]): Promise<Identity> {
  for (;;) {
    try {
      return await createAgentIdentity({
        relayers: [setup.relayer],
        spiffeId: agent.spiffeId,
        key: agent.privateKey,
      })
    } catch (error) {
      childLog.warn({ spiffeId: agent.spiffeId }, `attestation: ${describeError(error)}`)
      await sleep(attestPause)
    }
  }
}

function runAgent(
  setup: AgentsSetup,
  agent: AgentsSetup['agents'][number],
  note: (attempt: Attempt) => void,
): DemoAgent & { readonly served: Promise<unknown> } {
  const { spiffeId } = agent
  const { interval, services } = setup
  let last: Answer | null = null
  let recent: number[] = []

  const callService = async (identity: Identity, service: ServiceAddress, served: () => void) => {
    const agentFetch = createAgentFetch(identity, { expected: service.spiffeId })
    // Agents that start together must not call together.
    await sleep(Math.random() * interval)
    for (;;) {
      const from = monotonicNow()
      const answer = await ask(() =>
        agentFetch(`${service.url}/hello`, { signal: AbortSignal.timeout(callTimeout) }),
      )
      const to = monotonicNow()
      // Without an identity nothing is asked any more: the service's own words stay.
      last = answer.outcome === 'killed' && last?.outcome === 'killed' ? last : answer
      if (answer.outcome === 'accepted') {
        recent.push(to)
        served()
      }
      note({ spiffeId, service: service.spiffeId, from, to, ...answer })
      const pause = answer.outcome === 'accepted' ? interval : Math.max(interval, refusedPause)
      await sleep(Math.max(0, pause - (to - from)))
    }
  }

  const comeBack = async (identity: Identity): Promise<void> => {
    for (;;) {
      await sleep(resumePause)
      if (last?.outcome === 'killed') await identity.renew().catch(() => {})
    }
  }

  const served = (async () => {
    const identity = await attest(setup, agent)
    if (setup.returning) void comeBack(identity)
    await Promise.all(
      services.map((service) => new Promise<void>((resolve) => void callService(identity, service, resolve))),
    )
  })()

  return {
    served,
    view() {
      const now = monotonicNow()
      recent = recent.filter((at) => at > now - rateWindow)
      const states = { accepted: 'running', killed: 'killed', closed: 'failing', failed: 'failing' } as const
      return {
        spiffeId,
        state: last === null ? 'starting' : states[last.outcome],
        perSecond: recent.length / (rateWindow / 1000),
        last: last?.detail ?? '',
      }
    },
  }
}

onParent<AgentsSetup>('setup', (setup) => {
  const attempts: Attempt[] = []
  const agents = setup.agents.map((agent) =>
    runAgent(setup, agent, (attempt) => {
      if (setup.record) attempts.push(attempt)
    }),
  )
  setInterval(
    () => tellParent<AgentsMessage>({ type: 'view', agents: agents.map((agent) => agent.view()) }),
    viewPeriod,
  )
  void Promise.all(agents.map((agent) => agent.served)).then(() =>
    tellParent<AgentsMessage>({ type: 'ready' }),
  )
  onParent<{ readonly type: 'collect' }>('collect', () =>
    tellParent<AgentsMessage>({ type: 'collected', attempts }),
  )
})
process.channel?.ref()
process.once('SIGTERM', () => process.exit(0))
