// Deploys Killswitch to any chain and proves from the chain who holds which power afterwards.
//
//   node scripts/deploy.ts --rpc <url> --key-file <file> --trust-domain <name> --holder <address>       token holders govern
//   node scripts/deploy.ts --rpc <url> --key-file <file> --trust-domain <name> --governance <address>   one account governs
//   node scripts/deploy.ts --check --contract <address> ...    only the proof, for a contract that stands

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { createPublicClient, formatEther, type Hex, http } from 'viem'
import type { GovernedContracts } from '../protocol/governance/contracts.ts'
import { localPace, publicPace } from '../protocol/governance/settings.ts'
import { initialPolicy } from '../protocol/policy/killPolicy.ts'
import { loadAccount } from '../sdk/cli/account.ts'
import { noMore } from '../sdk/cli/arguments.ts'
import { onChain, openChain, rpcTimeout } from '../sdk/cli/chain.ts'
import { CliError } from '../sdk/cli/cliError.ts'
import { confirm } from '../sdk/cli/confirm.ts'
import { exitCode } from '../sdk/cli/exitCode.ts'
import { OptionError, type OptionSpec, optionsHelp } from '../sdk/cli/options.ts'
import { optionTable } from '../sdk/cli/optionTable.ts'
import { addressOf, integerOf, readSettings, type Settings, urlOf } from '../sdk/cli/settings.ts'
import { processSurroundings, type Surroundings } from '../sdk/cli/surroundings.ts'
import {
  checkDeployConfig,
  type DeployConfig,
  DeployConfigError,
  type Deployed,
  DeployFailedError,
  defaultCooldowns,
  defaultMinCooldown,
  deployContracts,
  maxCooldown,
  maxMinCooldown,
} from './lib/deployContracts.ts'
import { DeployInterruptedError, deployGoverned } from './lib/deployGoverned.ts'
import { checkGovernanceConfig, type GovernanceConfig } from './lib/governanceConfig.ts'
import { readCode } from './lib/readCode.ts'
import { findContracts, readGovernancePowers } from './lib/readGovernancePowers.ts'
import { type Power, readPowers } from './lib/readPowers.ts'

const day = 86_400
const defaultSupply = 1_000_000_000

const shared = [
  'rpc',
  'contract',
  'key-file',
  'keystore',
  'password-file',
  'as',
  'yes',
  'json',
  'config',
  'help',
]

const own = (name: string, config: string, value: string, help: string): OptionSpec => ({
  name,
  value,
  help,
  config,
  env: `KILLSWITCH_${name.replaceAll('-', '_').toUpperCase()}`,
})

const specs: readonly OptionSpec[] = [
  own('trust-domain', 'trustDomain', 'name', 'SPIFFE trust domain of all agents'),
  own(
    'governance',
    'governance',
    'address',
    'who names the other powers and resumes everything, in place of votes',
  ),
  own(
    'holder',
    'holder',
    'address',
    'who gets all votes: deploys token, governors, policies and subscriptions too',
  ),
  own('supply', 'supply', 'tokens', `whole tokens that are made (default ${defaultSupply})`),
  own('pace', 'pace', 'name', 'public (votes take days) or local (seconds); default public'),
  own('currency', 'currency', 'address', 'ERC-20 in which plans are priced (default: the token)'),
  ...(['policy-governor', 'kill-policies', 'subscriptions'] as const).map((name) => ({
    name,
    value: 'address',
    help: 'with --check and --holder: where it stands',
  })),
  own('council', 'council', 'address', 'who has rank Council (default: nobody)'),
  own('emergency-governor', 'emergencyGovernor', 'address', 'who kills at rank Governance (default: nobody)'),
  own(
    'min-cooldown',
    'minCooldown',
    'seconds',
    `the least cool-down: the longest life of an SVID, 1 to ${maxMinCooldown} (default ${defaultMinCooldown})`,
  ),
  ...(['breaker', 'owner', 'council', 'governance'] as const).map((rank) =>
    own(
      `cooldown-${rank}`,
      `cooldown${rank.charAt(0).toUpperCase()}${rank.slice(1)}`,
      'seconds',
      `cool-down of kills of rank ${rank}, up to ${maxCooldown} (default ${defaultCooldowns[rank]})`,
    ),
  ),
  {
    name: 'breaker',
    value: 'address',
    help: 'with --check: who should be admitted as breaker; may be repeated',
    multiple: true,
  },
  { name: 'check', help: 'deploy nothing; prove who holds which power of --contract' },
  {
    name: 'out',
    value: 'file',
    help: 'write a configuration for the CLI: rpc, contract, chainId, fromBlock',
  },
  // A configuration that serves the CLI too may name these.
  ...optionTable.filter(({ name }) =>
    [...shared, 'relayer', 'chain-id', 'from-block', 'by', 'wait'].includes(name),
  ),
]

/** What is deployed: under votes, or under one account. */
type Asked = {
  readonly config: DeployConfig
  readonly governance: GovernanceConfig | null
}

function readGovernance(settings: Settings, holder: Hex, minCooldown: number): GovernanceConfig {
  const pace = settings.get('pace')
  if (pace !== undefined && pace.value !== 'public' && pace.value !== 'local')
    throw new OptionError(pace.source, 'must be public or local')
  const local = pace?.value === 'local'
  const supply = settings.get('supply')
  const currency = settings.get('currency')
  return {
    ...(local ? localPace : publicPace),
    holder,
    supply:
      BigInt(supply === undefined ? defaultSupply : integerOf(supply, 1, Number.MAX_SAFE_INTEGER)) *
      10n ** 18n,
    defaultPolicy: {
      ...initialPolicy,
      limits: {
        ...initialPolicy.limits,
        resumeCooldown: Math.max(initialPolicy.limits.resumeCooldown, minCooldown),
      },
    },
    subscriptions: {
      currency: currency === undefined ? null : addressOf(currency),
      ...(local ? { interval: 10, leastInterval: 1 } : { interval: 5 * day, leastInterval: day }),
      samples: 6,
      freeQuota: 3,
    },
  }
}

function readConfig(settings: Settings): Asked {
  const required = (name: string) => {
    const setting = settings.get(name)
    if (setting === undefined) throw new OptionError(`--${name}`, 'is needed')
    return setting
  }
  const optional = (name: string): Hex | null => {
    const setting = settings.get(name)
    return setting === undefined ? null : addressOf(setting)
  }
  const seconds = (name: string, fallback: number, least: number, most: number): number => {
    const setting = settings.get(name)
    if (setting === undefined && fallback >= least) return fallback
    // The default no longer fits beside a longer --min-cooldown.
    return setting === undefined ? least : integerOf(setting, least, most)
  }
  const minCooldown = seconds('min-cooldown', defaultMinCooldown, 1, maxMinCooldown)
  const cooldown = (rank: keyof typeof defaultCooldowns) =>
    seconds(`cooldown-${rank}`, defaultCooldowns[rank], minCooldown, maxCooldown)
  const holder = settings.get('holder')
  const misplaced =
    holder === undefined
      ? ['supply', 'pace', 'currency']
      : ['governance', ...(settings.has('check') ? [] : ['emergency-governor'])]
  for (const name of misplaced) {
    const setting = settings.get(name)
    if (setting !== undefined)
      throw new OptionError(
        setting.source,
        holder === undefined ? 'goes with --holder' : 'does not go with --holder: votes decide then',
      )
  }
  const trustDomain = required('trust-domain').value
  if (holder === undefined && !settings.has('governance'))
    throw new OptionError('--holder', 'is needed (token holders govern), or --governance (one account does)')
  const config: DeployConfig = {
    trustDomain,
    // Under votes the timelock's address takes its place, once it is known.
    governance: addressOf(holder ?? required('governance')),
    council: optional('council'),
    emergencyGovernor: optional('emergency-governor'),
    minCooldown,
    cooldowns: {
      breaker: cooldown('breaker'),
      owner: cooldown('owner'),
      council: cooldown('council'),
      governance: cooldown('governance'),
    },
  }
  checkDeployConfig(config)
  const governance = holder === undefined ? null : readGovernance(settings, addressOf(holder), minCooldown)
  if (governance !== null) checkGovernanceConfig(governance, minCooldown)
  return { config, governance }
}

/** The contracts that a check is told of. @throws {OptionError} */
function namedContracts(settings: Settings) {
  const at = (name: string): Hex => {
    const setting = settings.get(name)
    if (setting === undefined) throw new OptionError(`--${name}`, 'is needed for --check with --holder')
    return addressOf(setting)
  }
  return {
    policyGovernor: at('policy-governor'),
    emergencyGovernor: at('emergency-governor'),
    killPolicies: at('kill-policies'),
    subscriptions: at('subscriptions'),
  }
}

function powerLines(powers: readonly Power[]): readonly string[] {
  const [name, found] = [
    Math.max(...powers.map((power) => power.name.length)),
    Math.max(...powers.map((power) => power.found.length)),
  ]
  return powers.map((power) => {
    const verdict = power.ok ? 'ok   ' : 'WRONG'
    const note = power.ok ? power.may : `should be ${power.expected}`
    return `${verdict}  ${power.name.padEnd(name)}  ${power.found.padEnd(found)}  ${note}`.trimEnd()
  })
}

/** @returns the exit code */
export async function deploy(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const json = args.includes('--json')
  const say = (line: string) => (json ? surroundings.err : surroundings.out)(`${line}\n`)
  try {
    const settings = readSettings(args, specs, surroundings)
    if (settings.has('help')) {
      surroundings.out(
        `node scripts/deploy.ts: deploys Killswitch and proves from the chain who holds which power.\n\n${optionsHelp(specs)}\n`,
      )
      return exitCode.done
    }
    noMore(settings.arguments, 0)
    const check = settings.has('check')
    const named = settings.get('contract')
    // A contract in the environment or a configuration is that of the CLI.
    if (!check && named?.source.startsWith('--'))
      throw new OptionError(named.source, 'goes with --check only')
    const breakerSettings = settings.all('breaker')
    if (!check && breakerSettings[0] !== undefined)
      throw new OptionError(
        breakerSettings[0].source,
        'goes with --check only: governance admits breakers later',
      )
    const { config: asked, governance } = readConfig(settings)
    for (const name of ['policy-governor', 'kill-policies', 'subscriptions']) {
      const setting = settings.get(name)
      if (setting !== undefined && (!check || governance === null))
        throw new OptionError(setting.source, 'goes with --check and --holder')
    }
    const others = check && governance !== null ? namedContracts(settings) : null
    const rpcSetting = settings.get('rpc')
    if (rpcSetting === undefined) throw new OptionError('--rpc', 'is needed')
    const rpc = urlOf(rpcSetting)

    let deployed: Deployed | null = null
    let contracts: GovernedContracts | null = null
    let deployer: Hex | null = null
    let contract = named
    if (!check) {
      const account = await loadAccount(settings, surroundings)
      const transport = http(rpc, { timeout: rpcTimeout, retryCount: 1 })
      const client = createPublicClient({ transport })
      const [chainId, balance] = await onChain(rpc, rpcTimeout, () =>
        Promise.all([client.getChainId(), client.getBalance({ address: account.address })]),
      )
      const what = governance === null ? 'KillSwitch' : 'KillSwitch and all that token holders govern'
      say(`Will deploy ${what} for ${asked.trustDomain} to chain ${chainId}`)
      say(
        `as ${account.address} (${formatEther(balance)} ether), which keeps no power unless it is named one`,
      )
      await confirm({ settings, surroundings, say }, 'Deploy it?')
      if (governance === null)
        deployed = await onChain(rpc, rpcTimeout, () =>
          deployContracts({ transport, account, config: asked }),
        )
      else {
        const governed = await onChain(rpc, rpcTimeout, () =>
          deployGoverned({ transport, account, config: asked, governance }),
        )
        deployed = governed
        contracts = governed.contracts
        deployer = account.address
      }
      contract = { value: deployed.deployment.contract, source: 'the deployment' }
      say(
        `Deployed ${contract.value} in block ${deployed.block} with ${deployed.gasUsed} gas (${deployed.txHash})`,
      )
    }
    if (contract === undefined) throw new OptionError('--contract', 'is needed for --check')
    const address = addressOf(contract)
    const opened = await openChain({
      ...settings,
      get: (name) => (name === 'contract' ? { value: address, source: contract.source } : settings.get(name)),
    })
    const chain = deployed === null ? opened : { ...opened, fromBlock: deployed.block }
    const breakers = breakerSettings.map(addressOf)
    if (others !== null)
      contracts = await onChain(rpc, rpcTimeout, () =>
        findContracts(chain.client, { ...others, killSwitch: address }),
      )
    const config: DeployConfig =
      contracts === null
        ? asked
        : { ...asked, governance: contracts.timelock, emergencyGovernor: contracts.emergencyGovernor }
    const powers = await onChain(rpc, rpcTimeout, async () => [
      ...(await readCode(chain.client, contracts ?? { killSwitch: address })),
      ...(await readPowers(chain, config, breakers)),
      ...(contracts === null || governance === null
        ? []
        : await readGovernancePowers(chain.client, contracts, governance, deployer, chain.fromBlock)),
    ])
    if (contracts !== null) {
      for (const [name, place] of Object.entries(contracts)) say(`${name.padEnd(18)} ${place}`)
    }
    for (const line of powerLines(powers)) say(line)
    const ok = powers.every((power) => power.ok)
    if (!ok) say(`${contracts === null ? 'The contract does' : 'The contracts do'} not stand as asked for.`)
    const out = settings.get('out')
    const cliConfig = {
      rpc,
      contract: address,
      chainId: chain.deployment.chainId,
      fromBlock: Number(chain.fromBlock),
    }
    if (out !== undefined) {
      const file = path.resolve(surroundings.cwd, out.value)
      try {
        writeFileSync(file, `${JSON.stringify(cliConfig, null, 2)}\n`)
      } catch (error) {
        throw new OptionError(
          out.source,
          `names ${file}, which cannot be written: ${(error as NodeJS.ErrnoException).code}`,
        )
      }
      say(`Wrote ${file}`)
    }
    if (json) {
      const { txHash = null, gasUsed = null } = deployed ?? {}
      surroundings.out(
        `${JSON.stringify({ ok, ...cliConfig, contracts, txHash, gasUsed: gasUsed?.toString() ?? null, powers })}\n`,
      )
    }
    return ok ? exitCode.done : exitCode.refused
  } catch (error) {
    const known =
      error instanceof CliError ||
      error instanceof DeployConfigError ||
      error instanceof DeployFailedError ||
      error instanceof DeployInterruptedError
    const message = known
      ? error.message
      : `this is a bug: ${error instanceof Error ? error.stack : String(error)}`
    if (json) surroundings.out(`${JSON.stringify({ ok: false, error: message })}\n`)
    surroundings.err(`deploy: ${message}\n`)
    if (error instanceof CliError) return error.exitCode
    return error instanceof DeployConfigError ? exitCode.usage : exitCode.failed
  }
}

if (import.meta.main) process.exitCode = await deploy(process.argv.slice(2), processSurroundings())
