import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { agentTarget, Scope } from '../../../protocol/scope.ts'
import { openOperatorSecret } from '../../../relayer/identity/operatorSecret.ts'
import { signStatement } from '../../../relayer/identity/operatorStatement.ts'
import {
  accounts,
  killBody,
  startChain,
  type TestAgent,
  type TestChain,
  trustDomain,
} from '../../relayer/world.ts'
import { type DiskOperation, readDiskJournal } from './diskImage.ts'
import { createFeedWatch } from './feedWatch.ts'
import { gasKeyOf } from './gasKey.ts'
import { spawnRelayer } from './relayerProcess.ts'
import { attest, enrol, post } from './workload.ts'

/** Why a disk cannot be recorded here; null where it can. */
export function unrecordable(): string | null {
  if (process.platform !== 'linux')
    return `changes of files are recorded on Linux only, not on ${process.platform}`
  return spawnSync('cc', ['--version']).status === 0 ? null : 'there is no C compiler (cc) for the recorder'
}

export type DiskRecord = {
  readonly root: string
  readonly data: string
  readonly operations: readonly DiskOperation[]
  readonly chain: TestChain
  /** Options with which a relayer goes on from an image. */
  readonly args: Readonly<Record<string, string | number>>
  readonly stop: () => Promise<void>
}

/** Runs a relayer from its very first start to its end and writes down what it did to its disk. @param waves of 10 orders */
export async function recordDisk(waves: number): Promise<DiskRecord> {
  const folder = mkdtempSync(path.join(tmpdir(), 'killswitch-disk-'))
  const chain = await startChain()
  const stop = async () => {
    await chain.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const recorder = path.join(folder, 'recordDisk.so')
    const source = path.join(import.meta.dirname, 'recordDisk.c')
    const made = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', recorder, source, '-ldl', '-lpthread'])
    if (made.status !== 0) throw new Error(`the recorder does not compile: ${made.stderr}`)
    const root = path.join(folder, 'disk')
    const data = path.join(root, 'data')
    const journal = path.join(folder, 'journal')
    mkdirSync(root)
    const gasKeyFile = path.join(folder, 'gas.key')
    writeFileSync(gasKeyFile, gasKeyOf(6), { mode: 0o600 })
    const args = {
      rpc: chain.rpc,
      contract: chain.contract,
      'chain-id': chain.deployment.chainId,
      'grant-point': 1,
      'trust-domain': trustDomain,
      'gas-key-file': gasKeyFile,
      'gas-budget': 100_000,
      'poll-interval': 50,
      'log-level': 'error',
    }
    // Enough that none has more than 16 open orders, beyond which another is answered with the latest of them.
    const agents: TestAgent[] = []
    for (let i = 0; i < 10; i += 1) agents.push(await chain.register(accounts.alice))
    const spared = await chain.register(accounts.guardian)
    const bobs = await chain.register(accounts.bob)
    await chain.test.mine({ blocks: 1 })

    const child = spawnRelayer({
      data,
      args,
      preload: [path.join(import.meta.dirname, 'ackJournal.ts')],
      environment: {
        LD_PRELOAD: recorder,
        KILLSWITCH_DISK_ROOT: root,
        KILLSWITCH_DISK_JOURNAL: journal,
        KILLSWITCH_ACKNOWLEDGEMENTS: path.join(root, 'acknowledgements'),
      },
    })
    const address = await child.ready
    if (address === null) throw new Error((await child.ended).said)
    const watch = createFeedWatch(address.relayer, chain.deployment)
    const { entered } = watch.follow(address.url)
    await entered
    for (let wave = 0; wave < waves; wave += 1) {
      const orders = agents.map((agent) => killBody(chain.deployment, accounts.alice, agent))
      await Promise.all([
        ...orders.map(async (order) => {
          const answer = await post(address.url, '/api/kill', await order)
          if (answer?.status !== 202) throw new Error(`an order was answered ${JSON.stringify(answer)}`)
        }),
        chain.send(accounts.bob, 'kill', [Scope.Agent, agentTarget(bobs.uuid).subject, 1, 'by transaction']),
        attest(address, spared),
      ])
    }
    const issuedAt = Date.now()
    const spiffeId = `spiffe://${trustDomain}/service/payments`
    const statement = {
      action: 'enrol',
      id: 'one',
      spiffeId,
      issuedAt,
      expiresAt: issuedAt + 60_000,
    } as const
    await enrol(address.url, signStatement(openOperatorSecret(data), statement), spiffeId)
    child.kill('SIGTERM')
    const { how, said } = await child.ended
    if (how !== 0) throw new Error(`the relayer ended with ${how}: ${said}`)
    return { root, data, operations: readDiskJournal(journal), chain, args, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
