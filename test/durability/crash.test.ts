import { expect, test } from 'vitest'
import { runCrashRounds } from './support/crashRounds.ts'

const rounds = Number(process.env.KILLSWITCH_CRASHES ?? 5)
const seed = Number(process.env.KILLSWITCH_SEED ?? Date.now() % 1_000_000)

test(
  `a relayer killed ${rounds} times loses nothing that it acknowledged and does nothing twice (seed ${seed})`,
  async () => {
    const report = await runCrashRounds({ rounds, seed })
    expect(report.rounds).toBe(rounds)
  },
  60_000 + rounds * 20_000,
)
