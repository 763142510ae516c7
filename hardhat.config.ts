import { fileURLToPath } from 'node:url'
import { defineConfig } from 'hardhat/config'

// Also for `npx hardhat` by hand; the scripts set it themselves.
process.env.HARDHAT_DISABLE_TELEMETRY ??= 'true'

/** A positive whole number from the environment, else the default. */
function count(name: string, fallback: number): number {
  const text = process.env[name]
  if (text === undefined || text === '') return fallback
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`${name}=${text} is not a positive whole number`)
  return value
}

export default defineConfig({
  paths: { sources: './contracts', tests: { solidity: './test/contracts' } },
  solidity: {
    version: '0.8.37',
    // The compiler comes from npm, so that compiling needs no network.
    path: fileURLToPath(import.meta.resolve('solc/soljson.js')),
    settings: { evmVersion: 'prague', viaIR: true, optimizer: { enabled: true, runs: 200 } },
  },
  networks: {
    local: {
      type: 'edr-simulated',
      // Blocks also come without transactions, as on a real chain.
      mining: { auto: false, interval: 1000 },
    },
  },
  test: {
    solidity: {
      fuzz: { runs: count('KILLSWITCH_FUZZ_RUNS', 256) },
      invariant: {
        runs: count('KILLSWITCH_INVARIANT_RUNS', 64),
        depth: count('KILLSWITCH_INVARIANT_DEPTH', 64),
      },
    },
  },
})
