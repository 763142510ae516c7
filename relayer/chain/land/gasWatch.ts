import type { Hex } from '../../../protocol/hex.ts'
import type { Clock } from '../../clock.ts'
import { landingGas } from '../../kill/chainPort.ts'
import type { ChainLog } from '../chainLog.ts'
import { parseWei } from '../parseWei.ts'
import type { RpcPool } from '../rpc/rpcPool.ts'

/** How many more landings the gas key shall be good for. */
const wantedLandings = 50n
/** Between two alarms while it stays low, in ms. */
const alarmInterval = 3_600_000

export type GasState = {
  /** wei */
  readonly balance: bigint
  /** wei: what `wantedLandings` cost at the present price. */
  readonly needed: bigint
  readonly low: boolean
}

export type GasWatch = {
  /** Asks for balance and price, and logs an error where the balance is low: at once, then hourly. */
  check(): Promise<void>
  /** As last seen; null before the first answer. */
  state(): GasState | null
}

/** Sounds the alarm before the gas key cannot pay. Kills are enforced without gas all the same, so readiness stays. */
export function createGasWatch(options: {
  readonly pool: RpcPool
  readonly gasKey: Hex
  readonly clock: Clock
  readonly log: ChainLog
}): GasWatch {
  const { pool, gasKey, clock, log } = options
  let state: GasState | null = null
  let alarmed: number | null = null
  const ask = (method: string, params: readonly unknown[]): Promise<bigint> =>
    pool.request({ method, params, parse: (result) => parseWei(method, result) })

  return {
    async check() {
      const [balance, price] = await Promise.all([
        ask('eth_getBalance', [gasKey, 'latest']),
        ask('eth_gasPrice', []),
      ])
      const needed = wantedLandings * BigInt(landingGas) * price
      const low = balance < needed
      state = { balance, needed, low }
      if (!low) {
        if (alarmed !== null) log.info({ gasKey, balance: String(balance) }, 'the gas key has funds again')
        alarmed = null
      } else if (alarmed === null || clock.monotonic() - alarmed >= alarmInterval) {
        alarmed = clock.monotonic()
        log.error(
          { gasKey, balance: String(balance), needed: String(needed) },
          `the gas key can pay for fewer than ${wantedLandings} landings; send it funds`,
        )
      }
    },
    state: () => state,
  }
}
