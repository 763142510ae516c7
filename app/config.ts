import type { Deployment } from '../protocol/deployment.ts'
import { contractNames, type GovernedContracts } from '../protocol/governance/contracts.ts'
import type { Hex } from '../protocol/hex.ts'
import { isTrustDomain } from '../protocol/spiffeId.ts'

/** What one deployment of the app looks at: `config.json` beside index.html, written by who serves it. */
export type AppConfig = {
  readonly deployment: Deployment
  readonly chainName: string
  /** Block of the contract's deployment. */
  readonly fromBlock: bigint
  /** HTTP address of a node of the chain. */
  readonly rpc: string
  /** Address of the relayer, absolute. */
  readonly relayer: string
  /** Public key with which the relayer signs its feed, base64url. */
  readonly relayerKey: string
  readonly trustDomain: string
  /** Null where token holders do not govern this KillSwitch. */
  readonly governance: GovernedContracts | null
  /** Accounts of a local chain for the development wallet; only builds for local chains look at them. */
  readonly developmentKeys: readonly DevelopmentKey[]
}

export type DevelopmentKey = { readonly name: string; readonly address: Hex; readonly key: Hex }

/** `config.json` is missing or wrong: the operator has to mend it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly field: string
  readonly value: unknown
  constructor(field: string, value: unknown, expected: string) {
    super(`config.json: ${field} must be ${expected}, it is ${JSON.stringify(value) ?? 'missing'}`)
    this.field = field
    this.value = value
  }
}

/** @param base address that relative ones are relative to @throws {ConfigError} naming the field */
export function readConfig(json: unknown, base: string): AppConfig {
  const fields = (typeof json === 'object' && json !== null ? json : {}) as Readonly<Record<string, unknown>>
  const text = (field: string, pattern: RegExp, expected: string): string => {
    const value = fields[field]
    if (typeof value !== 'string' || !pattern.test(value)) throw new ConfigError(field, value, expected)
    return value
  }
  const whole = (field: string, least: number): number => {
    const value = fields[field]
    if (!Number.isSafeInteger(value) || (value as number) < least)
      throw new ConfigError(field, value, `a whole number from ${least}`)
    return value as number
  }
  const address = (field: string): string => {
    const value = fields[field]
    const url = typeof value === 'string' && URL.canParse(value, base) ? new URL(value, base) : null
    if (url === null || !/^https?:$/.test(url.protocol))
      throw new ConfigError(field, value, 'an http(s) address')
    return url.href.replace(/\/$/, '')
  }
  const trustDomain = text('trustDomain', /./, 'a SPIFFE trust domain')
  if (!isTrustDomain(trustDomain)) throw new ConfigError('trustDomain', trustDomain, 'a SPIFFE trust domain')
  const chainId = whole('chainId', 1)
  const contract = text('contract', /^0x[0-9a-fA-F]{40}$/, 'an address').toLowerCase() as Hex
  const keys = fields.developmentKeys
  return {
    deployment: { chainId, contract },
    chainName: typeof fields.chainName === 'string' ? fields.chainName : `chain ${chainId}`,
    fromBlock: BigInt(whole('fromBlock', 0)),
    rpc: address('rpc'),
    relayer: address('relayer'),
    relayerKey: text('relayerKey', /^[A-Za-z0-9_-]{43}$/, "the relayer's feed key (32 bytes, base64url)"),
    trustDomain,
    governance: readGovernance(fields.governance, contract),
    developmentKeys: Array.isArray(keys) ? (keys as AppConfig['developmentKeys']) : [],
  }
}

/** As `scripts/deploy.ts` prints the contracts. @throws {ConfigError} naming the field */
function readGovernance(value: unknown, killSwitch: Hex): GovernedContracts | null {
  if (value === undefined || value === null) return null
  const places = (typeof value === 'object' ? value : {}) as Readonly<Record<string, unknown>>
  const contracts = Object.fromEntries(
    contractNames.map((name) => {
      const place = places[name]
      if (typeof place !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(place))
        throw new ConfigError(`governance.${name}`, place, 'an address')
      return [name, place.toLowerCase()]
    }),
  ) as GovernedContracts
  if (contracts.killSwitch !== killSwitch)
    throw new ConfigError('governance.killSwitch', contracts.killSwitch, `the contract, ${killSwitch}`)
  return contracts
}

/** @throws {ConfigError} */
export async function loadConfig(): Promise<AppConfig> {
  const url = new URL('./config.json', document.baseURI)
  let json: unknown
  try {
    const response = await fetch(url, { cache: 'no-store' })
    if (!response.ok) throw new Error(`HTTP status ${response.status}`)
    json = await response.json()
  } catch (error) {
    throw new ConfigError('the file', (error as Error).message, `readable JSON at ${url.href}`)
  }
  return readConfig(json, document.baseURI)
}
