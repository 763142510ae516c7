import { createFollower } from './chain/follow/follower.ts'
import {
  checkGovernedContracts,
  type GovernedContract,
  NoGovernedContractError,
  OtherKillSwitchError,
} from './chain/governedContract.ts'
import { checkSvidLife, NoKillSwitchError, SvidLifeTooLongError } from './chain/minCooldown.ts'
import { createPolicyReader } from './chain/policyReader.ts'
import { createQuotaReader } from './chain/quotaReader.ts'
import { WrongChainError } from './chain/rpc/rpcErrors.ts'
import { createSignatureVerifier } from './chain/verifyAuthority.ts'
import { systemClock } from './clock.ts'
import { proofLife } from './identity/issuance.ts'
import { maySight } from './kill/maySight.ts'
import { createIdentities } from './node/identities.ts'
import { createKillRoad } from './node/killRoad.ts'
import { createLandings, type Landings } from './node/landings.ts'
import { createListeners } from './node/listeners.ts'
import type { NodeOptions } from './node/options.ts'
import { openState } from './node/state.ts'
import { rehearseKills } from './rehearsal.ts'
import { checkpoint } from './store/database.ts'
import { forgetMessages } from './store/messages.ts'
import { forgetSvids } from './store/svids.ts'

export type RelayerNode = {
  readonly url: string
  readonly mtlsUrl: string
  /** Feed public key, base64url. */
  readonly relayer: string
  readonly bundle: string
  stop(): Promise<void>
}

/** ms between heartbeats; DESIGN, section 4: at most 5 s. */
const heartbeatInterval = 2_000
/** ms between readings of the kill policies. */
const policyInterval = 1_000
/** Feed messages that stay in the store, for whoever looks into what was said. */
const keptMessages = 100_000

/** What no waiting mends. */
const wrongOptions = [
  ...[SvidLifeTooLongError, NoKillSwitchError, WrongChainError],
  ...[NoGovernedContractError, OtherKillSwitchError],
]

/** Composes and starts a relayer of the parts in `node/`. Resolves once it follows the chain's head. */
export async function startNode(node: NodeOptions): Promise<RelayerNode> {
  const { deployment, log, svidLife } = node
  const clock = node.clock ?? systemClock
  const state = await openState(node, clock)
  const chain = { rpcs: node.rpcs, deployment, chainId: deployment.chainId, clock, log }
  const governed: readonly GovernedContract[] = [
    ...(node.killPolicies == null ? [] : [{ kind: 'KillPolicies', contract: node.killPolicies } as const]),
    ...(node.subscriptions == null ? [] : [{ kind: 'Subscriptions', contract: node.subscriptions } as const]),
  ]
  const checkOptions = async () => {
    await checkSvidLife(svidLife, chain)
    await checkGovernedContracts(governed, chain)
  }
  // Checked here so that a wrong option is said at once; without an RPC it waits until there is one, and so does issue.
  const checked = await checkOptions().then(
    () => true,
    (error: unknown) => {
      if (wrongOptions.some((kind) => error instanceof kind)) throw error
      log.warn({ err: error }, 'no RPC answers yet')
      return false
    },
  )
  const verifySignature = createSignatureVerifier(chain)
  log.info({ kills: await rehearseKills(deployment, verifySignature) }, 'the kill road is rehearsed')

  let caught = false
  const caughtUp = () => caught
  let landings: Landings | null = null
  const policies =
    node.killPolicies == null
      ? null
      : createPolicyReader({
          ...chain,
          contract: node.killPolicies,
          startBlock: node.startBlock,
          view: () => executor.chainView(),
        })
  const policyMirror = () => policies?.mirror() ?? null
  const quotas =
    node.subscriptions == null
      ? null
      : createQuotaReader({
          ...chain,
          contract: node.subscriptions,
          grantPoint: () => executor.chainView().grantPoint,
        })
  const road = await createKillRoad({
    ...{ node, state, clock, verifySignature, policies: policyMirror },
    onKill: (kill) => landings?.onKill(kill),
    onOrder: (kill) => landings?.onOrder(kill),
  })
  const { executor, broadcaster, stream, refusals } = road
  const landing = createLandings(node, executor, clock)
  landings = landing
  const identities = await createIdentities({
    ...{ node, state, road, clock, caughtUp, quotas },
    policies: policyMirror,
  })
  const follower = createFollower({
    ...chain,
    startBlock: node.startBlock,
    grantPoint: node.grantPoint,
    sink: executor,
    pollInterval: node.pollInterval,
    onMayHoldKills: road.expectation.expect,
    mayKill: (event, order) => maySight(executor.registry, event, order, Math.floor(clock.wall() / 1000)),
    // A local chain (depth 0) stands still between transactions. Others date their blocks by the wall clock: a head
    // that is twice as old as blindness allows comes from a node that is syncing or was left behind.
    ...(node.grantPoint.kind === 'depth' && node.grantPoint.blocks === 0
      ? {}
      : { maxHeadAge: 2 * node.maxBlind }),
  })
  const listeners = await createListeners({
    ...{ node, state, road, identities, follower, policies, quotas, clock, caughtUp },
    landings: landing,
  })

  const timers: NodeJS.Timeout[] = []
  const every = (interval: number, task: () => void | Promise<void>) => {
    timers.push(
      setInterval(
        () =>
          void Promise.resolve(task()).catch((err: unknown) => log.error({ err }, 'a periodic task failed')),
        interval,
      ),
    )
  }
  const stop = async () => {
    for (const timer of timers) clearInterval(timer)
    broadcaster.close()
    stream.close()
    await Promise.all([follower.stop(), landing.stop(), listeners.stop()])
    verifySignature.close()
    policies?.close()
    quotas?.close()
    refusals.flush()
    // Each kind of note is written in its order: the store closes after the last of them.
    await Promise.all([executor.note({}), executor.noteReported([])]).catch((err: unknown) =>
      log.error({ err }, 'the last notes are not in the store'),
    )
    await state.db.destroy()
  }

  try {
    const { port, mtlsPort } = await listeners.listen()
    await follower.start()
    if (!checked) await checkOptions()
    caught = true
    landing.resume()
    void landing.checkGas().catch((err: unknown) => log.warn({ err }, "the gas key's balance is unknown"))
    if (policies !== null) {
      // Never waited for: kills need no policies.
      void policies.read()
      every(policyInterval, policies.read)
    }
    every(60_000, landing.checkGas)
    every(heartbeatInterval, broadcaster.heartbeat)
    every(heartbeatInterval, stream.keepAlive)
    every(svidLife / 2, listeners.renewCertificate)
    every(10_000, executor.tidy)
    // What waits for the store is written also when nothing new comes.
    every(1_000, async () => {
      if (state.journal.backlog() !== null) await executor.note({}).catch(() => undefined)
    })
    every(1_000, () => checkpoint(state.db))
    every(60_000, refusals.flush)
    every(2_000, landing.land)
    every(5_000, landing.rebroadcast)
    every(3_600_000, async () => {
      await forgetSvids(state.db, clock.wall() - proofLife)
      await forgetMessages(state.db, keptMessages)
    })
    return {
      url: `http://${node.listen.host}:${port}`,
      mtlsUrl: `https://${node.mtlsListen.host}:${mtlsPort}`,
      relayer: state.feed.relayer,
      bundle: state.bundlePem,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
