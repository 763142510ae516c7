import type { Hex } from './hex.ts'

/** Which contract on which chain; two deployments never share liveness. */
export type Deployment = { readonly chainId: number; readonly contract: Hex }

/** `eip155:<chain id>:<contract>` (CAIP-10), lower case. */
export const deploymentId = (deployment: Deployment): string =>
  `eip155:${deployment.chainId}:${deployment.contract.toLowerCase()}`

export class InvalidDeploymentError extends Error {
  override readonly name = 'InvalidDeploymentError'
  readonly value: string
  constructor(value: string) {
    super(`"${value}" is no deployment; write eip155:<chain id>:<contract address in lower case>`)
    this.value = value
  }
}

/** @throws {InvalidDeploymentError} */
export function parseDeploymentId(value: string): Deployment {
  const match = /^eip155:([1-9][0-9]{0,15}):(0x[0-9a-f]{40})$/.exec(value)
  const chainId = Number(match?.[1])
  if (match === null || !Number.isSafeInteger(chainId)) throw new InvalidDeploymentError(value)
  return { chainId, contract: match[2] as Hex }
}

/** Deployments that tools know by chain id; local chains are named in configuration instead. */
export const deployments: Readonly<Record<number, Deployment>> = {}
