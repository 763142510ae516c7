import type { Logger } from 'pino'
import type { Deployment } from '../../protocol/deployment.ts'
import type { Hex } from '../../protocol/hex.ts'
import type { GrantPoint } from '../chain/follow/follower.ts'
import type { GasAccount } from '../chain/land/gasAccount.ts'
import type { Clock } from '../clock.ts'
import type { AdmissionLimits } from '../http/admission/admission.ts'
import type { AppFiles } from '../http/app.ts'
import type { Address } from '../http/listeners.ts'

export type NodeOptions = {
  readonly rpcs: readonly string[]
  readonly deployment: Deployment
  readonly startBlock: number
  /** The KillPolicies contract that is followed; null for none. */
  readonly killPolicies?: Hex | null
  /** The Subscriptions contract whose quotas bound enrolments; null for none. */
  readonly subscriptions?: Hex | null
  readonly grantPoint: GrantPoint
  readonly trustDomain: string
  /** Folder of the store and the keys. */
  readonly data: string
  readonly listen: Address
  readonly mtlsListen: Address
  /** Names under which TLS clients reach the mutual TLS listener. */
  readonly hosts: readonly string[]
  readonly limits: AdmissionLimits
  /** The app to serve beside the API. */
  readonly app?: AppFiles | null
  /** Pays for landing orders; without it orders are enforced but left to others to land. */
  readonly gasAccount: GasAccount | null
  /** Addresses of the deployment's other relayers, to which orders are forwarded. */
  readonly peers: readonly string[]
  /** How many landings' gas one wallet may use per hour (20). */
  readonly gasBudget?: number
  /** How many landings' gas all orders below Council rank may use per hour together (1,000). */
  readonly gasCeiling?: number
  /** The most that is offered for a unit of gas, in wei (500 gwei). */
  readonly maxGasFee?: bigint
  /** ms */
  readonly svidLife: number
  /** ms */
  readonly maxBlind: number
  /** ms */
  readonly pollInterval: number
  readonly log: Logger
  readonly clock?: Clock
  /** Whether this process has more to do than it can; by default as its event loop says. */
  readonly overloaded?: () => boolean
}
