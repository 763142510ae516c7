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

/** @param runs how often deployed code is expected to run: the more, the larger and the cheaper */
const compiler = (runs: number) => ({
  version: '0.8.37',
  // The compiler comes from npm, so that compiling needs no network.
  path: fileURLToPath(import.meta.resolve('solc/soljson.js')),
  settings: { evmVersion: 'prague', viaIR: true, optimizer: { enabled: true, runs } },
})

export default defineConfig({
  paths: { sources: './contracts', tests: { solidity: './test/contracts' } },
  solidity: {
    compilers: [compiler(200)],
    // Every proposal and vote runs these, and they are far from the limit of a contract's size. (The timelock is compiled as
    // the governor is that deploys it, so that its code can be compared.)
    overrides: Object.fromEntries(
      [
        'governance/EmergencyGovernor',
        'governance/PolicyGovernor',
        'governance/PolicyTimelock',
        'token/KillswitchToken',
      ].map((file) => [`contracts/${file}.sol`, compiler(1_000_000)]),
    ),
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
