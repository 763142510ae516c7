import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { parseArgs } from 'node:util'
import { type Hex, isHex } from 'viem'
import { isTrustDomain } from '../protocol/spiffeId.ts'
import type { GrantPoint } from './chain/follow/follower.ts'
import { gasAccount } from './chain/land/gasAccount.ts'
import { readAppFiles } from './http/app.ts'
import type { Address } from './http/listeners.ts'
import { readSecretFile } from './identity/secretFile.ts'
import type { NodeOptions } from './node/options.ts'

/** An option is unknown or impossible. */
export class OptionError extends Error {
  override readonly name = 'OptionError'
  readonly option: string
  constructor(option: string, why: string) {
    super(`${option}: ${why}; see --help`)
    this.option = option
  }
}

/** Every option: its default and what it is. Flags win over the environment (KILLSWITCH_DATA …), that over the config file. */
const known = {
  rpc: [
    '',
    'node of the chain, http(s) or ws(s); several separated by commas or by repeating it. A majority of them must ' +
      'agree before anything is granted or withdrawn: name one, or three of different operators (of two, both must answer)',
  ],
  contract: ['', 'address of the KillSwitch contract'],
  'chain-id': ['', 'chain id of the deployment'],
  'start-block': ['0', "block of the contract's deployment, or an earlier one"],
  'kill-policies': ['', 'address of the KillPolicies contract; without it no kill policies are followed'],
  subscriptions: [
    '',
    'address of the Subscriptions contract, whose quotas bound how many agents of a wallet are enrolled; without it any number is',
  ],
  'grant-point': [
    'finalized',
    'from where on grants count: finalized, safe, or a depth in blocks (0 on a local chain)',
  ],
  'trust-domain': ['', 'SPIFFE trust domain'],
  data: ['.killswitch/relayer', 'folder of the store and the keys'],
  listen: ['127.0.0.1:8700', 'public HTTP listener, host:port'],
  'mtls-listen': ['127.0.0.1:8701', 'mutual TLS listener, host:port'],
  hosts: ['localhost,127.0.0.1', 'names of the mutual TLS listener, separated by commas'],
  'requests-per-second': [
    '200',
    'requests of one address per second, ten times as many at once; orders and the feed are not limited',
  ],
  'connections-per-address': ['1000', 'connections of one address, streams of the feed apart'],
  connections: ['10000', 'connections at each listener; when all are taken, who has most loses one'],
  proxies: [
    '',
    'addresses of your own reverse proxies, separated by commas; X-Forwarded-For counts from them only',
  ],
  app: [
    '',
    'folder of the built dApp to serve at /; its config.json names "rpc", a node of the chain that browsers may use',
  ],
  'gas-key-file': ['', 'file (mode 0600) with the hexadecimal private key that pays for landing orders'],
  peers: [
    '',
    'other relayers of the deployment (http or https), separated by commas; orders are forwarded to them',
  ],
  'gas-budget': [
    '20',
    'how many landings of 110,000 gas one wallet may have per hour at this gas key; its kills are enforced all the same',
  ],
  'gas-ceiling': [
    '1000',
    'how many landings of 110,000 gas all wallets together may have per hour; Council and Governance land beyond it',
  ],
  'max-gas-fee': ['500', 'the most that is offered for a unit of gas, in gwei'],
  'svid-life': ['300', 'life of an SVID, in seconds'],
  'max-blind': [
    '30',
    'seconds without a new block until nothing is issued; unless the grant point is 0, a block that is twice as old by its own time is not new',
  ],
  'poll-interval': ['1000', 'milliseconds between polls of an RPC'],
  'log-level': ['info', 'trace, debug, info, warn, error or silent'],
} as const

type Name = keyof typeof known

const widest = Math.max(...Object.keys(known).map((name) => name.length))

export const help = `killswitch-relayer: follows the chain and turns kills into revoked identities

  killswitch-relayer [options]                                     run a relayer
  killswitch-relayer enrol <spiffe id> [--data DIR] [--expires S]  make a one-use token for a service
  killswitch-relayer withdraw <spiffe id> [--data DIR] [--listen]  end an enrolment at the running relayer

${Object.entries(known)
  .map(
    ([name, [fallback, text]]) =>
      `  --${name.padEnd(widest)}  ${text}${fallback === '' ? '' : ` (${fallback})`}`,
  )
  .join('\n')}
  --${'config'.padEnd(widest)}  JSON file with any of these
  --${'expires'.padEnd(widest)}  of enrol: seconds until the token expires (600)

Each option can also be set in the environment, as KILLSWITCH_ and its name in capitals with underscores.
`

type Values = Record<Name, string>

function readValues(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  more: Record<string, { type: 'string' }> = {},
) {
  const options = Object.fromEntries(
    Object.keys(known).map((name) => [
      name,
      { type: 'string' as const, ...(name === 'rpc' ? { multiple: true } : {}) },
    ]),
  )
  let parsed: { readonly values: Record<string, unknown>; readonly positionals: readonly string[] }
  try {
    parsed = parseArgs({
      args: [...argv],
      options: { ...options, config: { type: 'string' }, ...more },
      allowPositionals: true,
    })
  } catch (error) {
    throw new OptionError(
      /'(-[^' ]+)/.exec((error as Error).message)?.[1] ?? 'command line',
      (error as Error).message,
    )
  }
  const file = (parsed.values.config as string | undefined) ?? environment.KILLSWITCH_CONFIG
  let config: Record<string, unknown> = {}
  if (file !== undefined) {
    try {
      config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    } catch (error) {
      throw new OptionError('--config', `${file} cannot be read as JSON: ${(error as Error).message}`)
    }
    for (const name of Object.keys(config))
      if (!Object.hasOwn(known, name)) throw new OptionError(name, `is no option, in ${file}`)
  }
  const values = {} as Values
  for (const name of Object.keys(known) as Name[]) {
    const flag = parsed.values[name] as string | readonly string[] | undefined
    const value =
      flag ??
      environment[`KILLSWITCH_${name.toUpperCase().replaceAll('-', '_')}`] ??
      config[name] ??
      known[name][0]
    values[name] = Array.isArray(value) ? value.join(',') : String(value)
  }
  return { values, flags: parsed.values, positionals: parsed.positionals }
}

const integer = (name: string, text: string, from: number, to: number): number => {
  const value = Number(text)
  if (!/^[0-9]+$/.test(text) || value < from || value > to)
    throw new OptionError(`--${name}`, `"${text}" is no integer from ${from} to ${to}`)
  return value
}

const address = (name: string, text: string): Address => {
  const match = /^(.+):([0-9]{1,5})$/.exec(text)
  if (match === null) throw new OptionError(`--${name}`, `"${text}" is no host:port`)
  return {
    host: (match[1] as string).replace(/^\[(.*)\]$/, '$1'),
    port: integer(name, match[2] as string, 0, 65_535),
  }
}

function grantPoint(text: string): GrantPoint {
  if (text === 'finalized' || text === 'safe') return { kind: text }
  return { kind: 'depth', blocks: integer('grant-point', text, 0, 100_000) }
}

function gasAccountIn(file: string) {
  if (file === '') return null
  const text = readSecretFile(file)
  if (text === null) throw new OptionError('--gas-key-file', `there is no ${file}`)
  const key = text.trim() as Hex
  // The value itself is never repeated.
  if (!isHex(key) || key.length !== 66)
    throw new OptionError('--gas-key-file', `${file} holds no private key (0x and 64 hexadecimal digits)`)
  return gasAccount(key)
}

function proxiesOf(text: string): readonly string[] {
  const proxies = text.split(',').filter((proxy) => proxy !== '')
  for (const proxy of proxies)
    if (isIP(proxy) === 0) throw new OptionError('--proxies', `"${proxy}" is no IP address`)
  return proxies
}

function peersOf(text: string): readonly string[] {
  const peers = text.split(',').filter((peer) => peer !== '')
  for (const peer of peers)
    if (!/^https?:\/\//.test(peer) || !URL.canParse(peer))
      throw new OptionError('--peers', `"${peer}" is no http(s) address`)
  return peers
}

const required = (values: Values, name: Name): string => {
  if (values[name] === '') throw new OptionError(`--${name}`, `is needed: ${known[name][1]}`)
  return values[name]
}

function contractOf(values: Values, name: Name): Hex | null {
  const text = values[name].toLowerCase()
  if (text === '') return null
  if (!/^0x[0-9a-f]{40}$/.test(text)) throw new OptionError(`--${name}`, `"${text}" is no address`)
  return text as Hex
}

/** @throws {OptionError} naming the option */
export function readNodeOptions(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): Omit<NodeOptions, 'log'> & { readonly logLevel: string } {
  const { values, positionals } = readValues(argv, environment)
  if (positionals[0] !== undefined) throw new OptionError(positionals[0], 'is no command')
  const contract = required(values, 'contract').toLowerCase()
  if (!/^0x[0-9a-f]{40}$/.test(contract)) throw new OptionError('--contract', `"${contract}" is no address`)
  const rpcs = required(values, 'rpc').split(',')
  for (const rpc of rpcs)
    if (!/^(https?|wss?):\/\//.test(rpc))
      throw new OptionError('--rpc', `"${rpc}" is no http(s) or ws(s) address`)
  const trustDomain = required(values, 'trust-domain')
  if (!isTrustDomain(trustDomain))
    throw new OptionError('--trust-domain', `"${trustDomain}" is not [a-z0-9._-]{1,255}`)
  const logLevel = values['log-level']
  if (!['trace', 'debug', 'info', 'warn', 'error', 'silent'].includes(logLevel))
    throw new OptionError('--log-level', `"${logLevel}" is no level`)
  return {
    rpcs,
    deployment: {
      chainId: integer('chain-id', required(values, 'chain-id'), 1, Number.MAX_SAFE_INTEGER),
      contract: contract as Hex,
    },
    startBlock: integer('start-block', values['start-block'], 0, Number.MAX_SAFE_INTEGER),
    killPolicies: contractOf(values, 'kill-policies'),
    subscriptions: contractOf(values, 'subscriptions'),
    grantPoint: grantPoint(values['grant-point']),
    trustDomain,
    data: values.data,
    listen: address('listen', values.listen),
    mtlsListen: address('mtls-listen', values['mtls-listen']),
    hosts: values.hosts.split(','),
    limits: {
      requestsPerSecond: integer('requests-per-second', values['requests-per-second'], 1, 1_000_000),
      connectionsPerAddress: integer(
        'connections-per-address',
        values['connections-per-address'],
        1,
        1_000_000,
      ),
      connections: integer('connections', values.connections, 1, 1_000_000),
      proxies: proxiesOf(values.proxies),
    },
    app: values.app === '' ? null : readAppFiles(values.app),
    gasAccount: gasAccountIn(values['gas-key-file']),
    peers: peersOf(values.peers),
    gasBudget: integer('gas-budget', values['gas-budget'], 0, 1_000_000),
    gasCeiling: integer('gas-ceiling', values['gas-ceiling'], 0, 1_000_000_000),
    maxGasFee: BigInt(integer('max-gas-fee', values['max-gas-fee'], 1, 1_000_000)) * 1_000_000_000n,
    svidLife: integer('svid-life', values['svid-life'], 1, 86_400) * 1000,
    maxBlind: integer('max-blind', values['max-blind'], 1, 3600) * 1000,
    pollInterval: integer('poll-interval', values['poll-interval'], 50, 60_000),
    logLevel,
  }
}

/** Options of `enrol` and `withdraw`; `life` in ms, `url` of the running relayer. @throws {OptionError} naming the option */
export function readStatementOptions(
  command: string,
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
) {
  const { values, flags, positionals } = readValues(argv, environment, { expires: { type: 'string' } })
  const [spiffeId, ...rest] = positionals
  if (spiffeId === undefined || rest.length > 0) throw new OptionError(command, 'name one SPIFFE ID')
  const { host, port } = address('listen', values.listen)
  return {
    spiffeId,
    data: values.data,
    life: integer('expires', String(flags.expires ?? 600), 1, 86_400) * 1000,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
  }
}
