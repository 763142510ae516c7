import { createInterface } from 'node:readline'
import type { Deployment } from '../../protocol/deployment.ts'
import type { Hex } from '../../protocol/hex.ts'
import type { Child, Children } from './children.ts'
import type { RelayerAddress } from './messages.ts'
import { SetupError } from './setupError.ts'

export type RunningRelayer = {
  readonly child: Child
  readonly address: RelayerAddress
  /** A one-use token for a service. */
  enrol(spiffeId: string): Promise<string>
}

/** How long a relayer may take until it follows a young chain, in ms. */
const youngChain = 30_000

/** Starts a relayer on a local chain and waits until it is ready. @throws {SetupError} with its last words */
export async function startRelayer(options: {
  readonly children: Children
  readonly rpc: string
  readonly deployment: Deployment
  readonly startBlock: bigint
  /** The KillPolicies contract that it follows. */
  readonly killPolicies?: Hex
  /** The Subscriptions contract whose quotas bound enrolments. */
  readonly subscriptions?: Hex
  readonly trustDomain: string
  readonly data: string
  readonly port: number
  readonly mtlsPort: number
  readonly gasKeyFile: string
  /** Seconds. */
  readonly svidLife: number
  /** Folder of the built dApp that it serves. */
  readonly app?: string
  /** How long it may take until it follows the chain, in ms. */
  readonly readyTimeout?: number
}): Promise<RunningRelayer> {
  const { deployment, data, readyTimeout = youngChain } = options
  const child = options.children.start({
    name: 'relayer',
    script: 'relayer/cli.ts',
    stdout: true,
    prompt: true,
    args: Object.entries({
      // One address of the one node there is: two would be asked to agree with each other.
      rpc: options.rpc.replace('http:', 'ws:'),
      contract: deployment.contract,
      'chain-id': deployment.chainId,
      'start-block': options.startBlock,
      'trust-domain': options.trustDomain,
      data,
      listen: `127.0.0.1:${options.port}`,
      'mtls-listen': `127.0.0.1:${options.mtlsPort}`,
      'grant-point': 0,
      'gas-key-file': options.gasKeyFile,
      'svid-life': options.svidLife,
      ...(options.app === undefined ? {} : { app: options.app }),
      ...(options.killPolicies === undefined ? {} : { 'kill-policies': options.killPolicies }),
      ...(options.subscriptions === undefined ? {} : { subscriptions: options.subscriptions }),
    }).flatMap(([name, value]) => [`--${name}`, String(value)]),
  })
  const { stdout } = child.process
  if (stdout === null) throw new Error('the relayer was started without a pipe')
  let timer: NodeJS.Timeout | undefined
  const address = await Promise.race([
    child.ended,
    new Promise<RelayerAddress>((resolve) => {
      createInterface({ input: stdout }).on('line', (line) => {
        if (line.startsWith('{"ready":true')) resolve(JSON.parse(line) as RelayerAddress)
      })
    }),
    new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new SetupError(`the relayer was not ready within ${readyTimeout / 1000} s`)),
        readyTimeout,
      )
    }),
  ])
  clearTimeout(timer)
  const { url, mtlsUrl, relayer } = address
  return {
    child,
    address: { url, mtlsUrl, relayer },
    async enrol(spiffeId) {
      const args = ['enrol', spiffeId, '--data', data]
      return (await options.children.run({ name: 'enrol', script: 'relayer/cli.ts', args })).trim()
    },
  }
}
