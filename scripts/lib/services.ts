import type { Deployment } from '../../protocol/deployment.ts'
import { formatSpiffeId } from '../../protocol/spiffeId.ts'
import type { Child, Children } from './children.ts'
import type { ServiceAddress, ServiceMessage, ServiceSetup } from './messages.ts'
import { receive } from './receive.ts'
import type { RunningRelayer } from './relayerProcess.ts'

export type RunningService = ServiceAddress & { readonly child: Child }

/** Enrols and starts guarded services, a process each; only the first has the port that is asked for. */
export const startServices = (options: {
  readonly children: Children
  readonly relayer: RunningRelayer
  readonly deployment: Deployment
  readonly trustDomain: string
  readonly count: number
  readonly port: number
  readonly record: ServiceSetup['record']
}): Promise<readonly RunningService[]> => {
  const { children, relayer, deployment, trustDomain, count } = options
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const name = count === 1 ? 'demo-service' : `demo-service-${index + 1}`
      const spiffeId = formatSpiffeId({ trustDomain, type: 'service', name })
      const token = await relayer.enrol(spiffeId)
      const child = children.start({ name, script: 'scripts/processes/service.ts' })
      child.send({
        type: 'setup',
        deployment,
        spiffeId,
        relayer: relayer.address,
        token,
        port: index === 0 ? options.port : 0,
        record: options.record,
      } satisfies ServiceSetup)
      const { url } = await receive<ServiceMessage, 'ready'>(child, 'ready')
      return { spiffeId, url, child }
    }),
  )
}
