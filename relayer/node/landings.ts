import { deploymentId } from '../../protocol/deployment.ts'
import { createGasWatch } from '../chain/land/gasWatch.ts'
import { createSender } from '../chain/land/sender.ts'
import { createTransactionKeeper } from '../chain/land/transactionKeeper.ts'
import { createRpcPool } from '../chain/rpc/rpcPool.ts'
import type { Clock } from '../clock.ts'
import { createPeerClient } from '../http/peerClient.ts'
import type { KillExecutor } from '../kill/executor.ts'
import { createForwarder } from '../kill/forwarder.ts'
import { createLander } from '../kill/landing/lander.ts'
import { createRebroadcaster } from '../kill/landing/rebroadcaster.ts'
import type { KillRecord } from '../kill/record.ts'
import { systemSchedule } from '../schedule.ts'
import type { NodeOptions } from './options.ts'

export type Landings = ReturnType<typeof createLandings>

/** How kills get on chain and stay there: orders landed, forwarded to other relayers, and dropped transactions repeated. */
export function createLandings(node: NodeOptions, executor: KillExecutor, clock: Clock) {
  const { deployment, trustDomain, log, gasAccount } = node
  const pool = createRpcPool({
    rpcs: node.rpcs,
    chainId: deployment.chainId,
    clock,
    log,
    schedule: systemSchedule,
    random: Math.random,
  })
  const rebroadcaster = createRebroadcaster({
    keeper: createTransactionKeeper(pool),
    kills: executor.kills,
    kill: executor.kill,
    head: () => executor.chainView().head?.number ?? null,
    noteTransaction: executor.noteTransaction,
    clock,
  })
  const lander =
    gasAccount === null
      ? null
      : createLander({
          sender: createSender({
            pool,
            deployment,
            account: gasAccount,
            maxFee: node.maxGasFee ?? 500_000_000_000n,
            clock,
            log,
          }),
          registry: executor.registry,
          kills: executor.kills,
          kill: executor.kill,
          noteSent: executor.noteSent,
          gasBudget: node.gasBudget ?? 20,
          gasCeiling: node.gasCeiling ?? 1_000,
          onError: (err) => log.error({ err }, 'a step of landing orders failed'),
          clock,
        })
  const gasWatch =
    gasAccount === null ? null : createGasWatch({ pool, gasKey: gasAccount.address, clock, log })
  const forwarder = createForwarder({
    peers: node.peers,
    deliver: createPeerClient({
      registry: executor.registry,
      trustDomain,
      deployment: deploymentId(deployment),
    }),
    kill: executor.kill,
    now: clock.wall,
    schedule: systemSchedule,
    onRefused: (peer, killId, why) => log.warn({ peer, killId, why }, 'another relayer refused an order'),
  })

  return {
    onKill(kill: KillRecord) {
      rebroadcaster.note(kill)
      // A reorg took its landing back.
      if (kill.orphaned !== null) lander?.land(kill)
    },
    onOrder(kill: KillRecord) {
      lander?.land(kill)
      forwarder.forward(kill)
    },
    /** Goes on with what an earlier run has left. */
    resume() {
      lander?.retry()
      rebroadcaster.retry()
      for (const kill of executor.kills()) forwarder.forward(kill)
    },
    land: () => lander?.retry(),
    rebroadcast: () => rebroadcaster.retry(),
    checkGas: async () => gasWatch?.check(),
    gas: () => gasWatch?.state() ?? null,
    async stop() {
      forwarder.stop()
      await Promise.all([lander?.stop(), rebroadcaster.stop()])
      pool.close()
    },
  }
}
