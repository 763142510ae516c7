import type { DemoEnforcer } from './judgeDemo.ts'
import type { LocalWorld } from './localWorld.ts'
import type { AgentsMessage, Attempt, Enforced, ServiceMessage } from './messages.ts'
import { receive } from './receive.ts'
import type { RunningService } from './services.ts'

/** Keeps what services say of enforced kills, from now on, by SPIFFE ID. */
export function recordEnforced(services: readonly RunningService[]): ReadonlyMap<string, Enforced[]> {
  return new Map(
    services.map(({ spiffeId, child }) => {
      const enforced: Enforced[] = []
      child.process.on('message', (message: ServiceMessage) => {
        if (message.type === 'enforced') enforced.push(message)
      })
      return [spiffeId, enforced]
    }),
  )
}

/** Asks all processes for what they recorded. */
export async function collectRun(
  { services, agentProcesses }: LocalWorld,
  enforced: ReadonlyMap<string, readonly Enforced[]>,
): Promise<{ readonly enforcers: readonly DemoEnforcer[]; readonly attempts: readonly Attempt[] }> {
  const attempts = await Promise.all(
    agentProcesses.map((child) => {
      const answer = receive<AgentsMessage, 'collected'>(child, 'collected')
      child.send({ type: 'collect' })
      return answer
    }),
  )
  const enforcers = await Promise.all(
    services.map(async ({ spiffeId, child }) => {
      const answer = receive<ServiceMessage, 'collected'>(child, 'collected')
      child.send({ type: 'collect' })
      return { spiffeId, accepted: (await answer).accepted, enforced: enforced.get(spiffeId) ?? [] }
    }),
  )
  return { enforcers, attempts: attempts.flatMap((one) => one.attempts) }
}
