// Deploys the KillSwitch to any chain and proves from the chain who holds which power afterwards.
//
//   node scripts/deploy.ts --rpc <url> --key-file <file> --trust-domain <name> --governance <address>
//   node scripts/deploy.ts --check --contract <address> ...    only the proof, for a contract that stands
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { createPublicClient, formatEther, type Hex, http } from 'viem'
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
import { type Power, readPowers } from './lib/readPowers.ts'

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
  own('governance', 'governance', 'address', 'who names the other powers and resumes everything'),
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

function readConfig(settings: Settings): DeployConfig {
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
  const config: DeployConfig = {
    trustDomain: required('trust-domain').value,
    governance: addressOf(required('governance')),
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
  return config
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
        `node scripts/deploy.ts: deploys the KillSwitch and proves from the chain who holds which power.\n\n${optionsHelp(specs)}\n`,
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
    const config = readConfig(settings)
    const rpcSetting = settings.get('rpc')
    if (rpcSetting === undefined) throw new OptionError('--rpc', 'is needed')
    const rpc = urlOf(rpcSetting)

    let deployed: Deployed | null = null
    let contract = named
    if (!check) {
      const account = await loadAccount(settings, surroundings)
      const transport = http(rpc, { timeout: rpcTimeout, retryCount: 1 })
      const client = createPublicClient({ transport })
      const [chainId, balance] = await onChain(rpc, rpcTimeout, () =>
        Promise.all([client.getChainId(), client.getBalance({ address: account.address })]),
      )
      say(`Will deploy KillSwitch for ${config.trustDomain} to chain ${chainId}`)
      say(
        `as ${account.address} (${formatEther(balance)} ether), which keeps no power unless it is named one`,
      )
      await confirm({ settings, surroundings, say }, 'Deploy it?')
      deployed = await onChain(rpc, rpcTimeout, () => deployContracts({ transport, account, config }))
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
    const powers = await onChain(rpc, rpcTimeout, () => readPowers(chain, config, breakers))
    for (const line of powerLines(powers)) say(line)
    const ok = powers.every((power) => power.ok)
    if (!ok) say('The contract does not stand as it was asked for.')
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
        `${JSON.stringify({ ok, ...cliConfig, txHash, gasUsed: gasUsed?.toString() ?? null, powers })}\n`,
      )
    }
    return ok ? exitCode.done : exitCode.refused
  } catch (error) {
    const known =
      error instanceof CliError || error instanceof DeployConfigError || error instanceof DeployFailedError
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
