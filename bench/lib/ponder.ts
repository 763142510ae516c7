import { copyFileSync, cpSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from '../../scripts/lib/children.ts'
import { claimPorts } from '../../scripts/lib/ports.ts'
import { SetupError } from '../../scripts/lib/setupError.ts'
import type { BareWorld } from './bareWorld.ts'
import type { Bench } from './benchmark.ts'

const root = path.resolve(import.meta.dirname, '../..')
const home = path.join(root, 'bench/ponder')
const command = 'bench/ponder/node_modules/ponder/dist/esm/bin/ponder.js'
const pollPeriod = 50

export type RunningPonder = {
  readonly child: Child
  /** Resolves once everything final has been handled; `ready` is what Ponder answers then. @param timeout ms */
  ready(timeout: number): Promise<void>
  countKills(): Promise<number>
  /** Kills of later blocks, with the moment at which their handler was called. */
  killsAfter(block: number): Promise<readonly { readonly txHash: string; readonly handledAt: number }[]>
}

/** Starts Ponder on the world's contract, over a database of its own. */
export async function startPonder(
  { chain, deployment, startBlock, children }: BareWorld,
  { data }: Pick<Bench, 'data'>,
): Promise<RunningPonder> {
  // It writes beside its sources, so they are copied; the packages are found through a link.
  const folder = data.file('relayer/ponder')
  cpSync(path.join(home, 'project'), folder, { recursive: true })
  symlinkSync(path.join(home, 'node_modules'), path.join(folder, 'node_modules'), 'junction')
  copyFileSync(path.join(root, 'protocol/generated/killSwitchAbi.ts'), path.join(folder, 'killSwitchAbi.ts'))
  const settings = {
    chainId: chain.chainId,
    rpc: chain.rpc,
    wsRpc: chain.wsRpc,
    contract: deployment.contract,
    startBlock: Number(startBlock),
  }
  writeFileSync(
    path.join(folder, 'settings.ts'),
    `export const settings = ${JSON.stringify(settings)} as const\n`,
  )
  const { port } = await claimPorts({ port: { what: 'Ponder', option: '--port', port: 0 } })
  const child = children.start({
    name: 'ponder',
    script: command,
    args: ['start', '--root', folder, '--schema', 'bench', '--port', String(port), '--hostname', '127.0.0.1'],
    env: { DO_NOT_TRACK: '1' },
  })
  const at = (where: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${where}`)
  return {
    child,
    async ready(timeout) {
      const deadline = performance.now() + timeout
      while (performance.now() < deadline) {
        const answer = await Promise.race([child.ended, at('/ready').catch(() => null)])
        if (answer?.status === 200) return
        await sleep(pollPeriod)
      }
      throw new SetupError(`Ponder was not ready within ${timeout / 1000} s`)
    },
    async countKills() {
      return ((await (await at('/kills/count')).json()) as { kills: number }).kills
    },
    async killsAfter(block) {
      return (await (await at(`/kills/after/${block}`)).json()) as { txHash: string; handledAt: number }[]
    },
  }
}
