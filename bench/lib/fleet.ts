import type { Child } from '../../scripts/lib/children.ts'
import type { FleetAgent } from '../../scripts/lib/fleet.ts'
import { deal } from '../../scripts/lib/localWorld.ts'
import type { Enforced, ServiceMessage } from '../../scripts/lib/messages.ts'
import { receive } from '../../scripts/lib/receive.ts'
import type { RunningRelayer } from '../../scripts/lib/relayerProcess.ts'
import { type RunningService, startServices } from '../../scripts/lib/services.ts'
import { type BareWorld, trustDomain } from './bareWorld.ts'
import type {
  ConnectedCounts,
  ConnectedMessage,
  ConnectedSetup,
  Delivery,
  StartCommand,
  SubscribeCommand,
  SubscriberMessage,
} from './fleetMessages.ts'
import { yieldCores, yielding } from './yieldCores.ts'

/** ms; a thousand agents attest and shake hands with each service on a busy machine. */
const connectTimeout = 600_000

export type Enforcers = {
  readonly services: readonly RunningService[]
  /** When each enforcer said that a kill's connections are gone, by kill. */
  readonly enforced: ReadonlyMap<string, readonly Enforced[]>
  /** The last accepted request of each caller at any enforcer, and how many there were in all. */
  collect(): Promise<{ readonly lastAccepted: ReadonlyMap<string, number>; readonly total: number }>
}

/** Guarded services, a process each. */
export async function startEnforcers(
  { children, deployment }: BareWorld,
  relayer: RunningRelayer,
  count: number,
): Promise<Enforcers> {
  const services = await startServices({
    children,
    relayer,
    deployment,
    trustDomain,
    count,
    port: 0,
    record: 'last',
  })
  const enforced = new Map<string, Enforced[]>()
  for (const { child } of services) {
    child.process.on('message', (message: ServiceMessage) => {
      if (message.type !== 'enforced') return
      const had = enforced.get(message.killId)
      if (had === undefined) enforced.set(message.killId, [message])
      else had.push(message)
    })
  }
  return {
    services,
    enforced,
    async collect() {
      const lastAccepted = new Map<string, number>()
      let total = 0
      const answers = await Promise.all(
        services.map(({ child }) => {
          const answer = receive<ServiceMessage, 'collected'>(child, 'collected')
          child.send({ type: 'collect' })
          return answer
        }),
      )
      for (const { accepted, total: here } of answers) {
        total += here
        for (const { spiffeId, at } of accepted)
          lastAccepted.set(spiffeId, Math.max(at, lastAccepted.get(spiffeId) ?? 0))
      }
      return { lastAccepted, total }
    },
  }
}

export type ConnectedAgents = {
  count(): Promise<ConnectedCounts>
  stop(): Promise<void>
}

/** Connects agents with every service and lets them call; resolves when each has been served by each. */
export async function connectAgents(
  { children }: BareWorld,
  options: {
    readonly relayer: RunningRelayer
    readonly services: readonly RunningService[]
    readonly agents: readonly FleetAgent[]
    readonly processes: number
    /** Between two requests of one agent, in ms. */
    readonly interval: number
  },
): Promise<ConnectedAgents> {
  const processes = await Promise.all(
    deal(options.agents, options.processes).map(async (agents, index): Promise<Child> => {
      const child = children.start({
        name: `connected-agents-${index + 1}`,
        script: 'bench/processes/connectedAgents.ts',
      })
      child.send({
        type: 'setup',
        relayer: options.relayer.address,
        trustDomain,
        services: options.services.map(({ spiffeId, url }) => ({ spiffeId, url })),
        agents: agents.map(({ spiffeId, privateKey }) => ({ spiffeId, privateKey })),
      } satisfies ConnectedSetup)
      await receive<ConnectedMessage, 'ready'>(child, 'ready', connectTimeout)
      return child
    }),
  )
  // Only now: handshakes and calls at once would take ever longer.
  for (const child of processes) yieldCores(child.process.pid, yielding.client)
  for (const child of processes)
    child.send({ type: 'start', interval: options.interval } satisfies StartCommand)
  return {
    async count() {
      const all = await Promise.all(
        processes.map((child) => {
          const answer = receive<ConnectedMessage, 'counted'>(child, 'counted')
          child.send({ type: 'count' })
          return answer
        }),
      )
      const sum = (field: keyof ConnectedCounts): number => all.reduce((total, one) => total + one[field], 0)
      return {
        sent: sum('sent'),
        accepted: sum('accepted'),
        refused: sum('refused'),
        closed: sum('closed'),
        late: sum('late'),
      }
    },
    async stop() {
      await Promise.all(processes.map((child) => child.stop()))
    },
  }
}

export type Subscribers = {
  /** Has exactly so many streams open, all of this address. */
  hold(stream: string, count: number): Promise<void>
  /** What came since the last call. */
  collect(): Promise<{ readonly deliveries: readonly Delivery[]; readonly frame: string }>
}

/** A process of feed subscribers. */
export function startSubscribers({ children }: BareWorld): Subscribers {
  const child = children.start({ name: 'subscribers', script: 'bench/processes/subscribers.ts' })
  yieldCores(child.process.pid, yielding.client)
  return {
    async hold(stream, count) {
      const answer = receive<SubscriberMessage, 'subscribed'>(child, 'subscribed', connectTimeout)
      child.send({ type: 'subscribe', stream, count } satisfies SubscribeCommand)
      await answer
    },
    async collect() {
      const answer = receive<SubscriberMessage, 'collected'>(child, 'collected')
      child.send({ type: 'collect' })
      return answer
    },
  }
}
