import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Hex } from 'viem'
import { deriveAgentId } from '../../../protocol/agentId.ts'
import { formatSpiffeId, isAgentType } from '../../../protocol/spiffeId.ts'
import { uuidFromAgentId } from '../../../protocol/uuid.ts'
import { loadAccount } from '../account.ts'
import { noMore } from '../arguments.ts'
import { openChain } from '../chain.ts'
import { CliError } from '../cliError.ts'
import type { Command, Context, Outcome } from '../command.ts'
import { confirm } from '../confirm.ts'
import { exitCode } from '../exitCode.ts'
import { OptionError } from '../options.ts'
import { optionsOf } from '../optionTable.ts'
import { trustDomainOf } from '../preview.ts'
import { integerOf } from '../settings.ts'
import { sendTransaction } from '../transaction.ts'

/** About 130,000 gas each: well below the limit of a transaction (2^24, EIP-7825). */
const perTransaction = 50

type Key = { readonly publicKey: Hex; readonly pem: string | null }

function createKey(): Key {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url')
  return {
    publicKey: `0x${raw.toString('hex')}`,
    pem: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
  }
}

function keysOf({ settings }: Context): readonly Key[] {
  const given = settings.all('public-key').map(({ value, source }): Key => {
    const digits = value.replace(/^0x/, '').toLowerCase()
    if (!/^[0-9a-f]{64}$/.test(digits) || /^0+$/.test(digits))
      throw new OptionError(source, 'must be an Ed25519 public key, 64 hex digits')
    return { publicKey: `0x${digits}`, pem: null }
  })
  const setting = settings.get('count')
  if (given.length > 0 && setting !== undefined)
    throw new OptionError(setting.source, 'contradicts --public-key: each key is one agent')
  if (given.length > 0) return given
  const count = setting === undefined ? 1 : integerOf(setting, 1, 1000)
  return Array.from({ length: count }, createKey)
}

function writeKey(file: string, pem: string): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(file, pem, { mode: 0o600, flag: 'wx' })
    chmodSync(file, 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CliError(exitCode.usage, `cannot write ${file} (${code}); --out names another folder`, {
      cause: error,
    })
  }
}

async function run(context: Context, args: readonly string[]): Promise<Outcome> {
  noMore(args, 0)
  const { settings, surroundings, say } = context
  const type = settings.get('type')
  if (type === undefined) throw new OptionError('--type', 'is needed: the type of the agents')
  if (!isAgentType(type.value))
    throw new OptionError(
      type.source,
      'must be [a-z0-9-]{1,32} and not a type reserved for enrolled workloads',
    )
  const folder = path.resolve(
    surroundings.cwd,
    settings.get('out')?.value ?? path.join('.killswitch', 'agents'),
  )
  const keys = keysOf(context)
  const chain = await openChain(settings)
  const account = await loadAccount(settings, surroundings)
  const trustDomain = await trustDomainOf(chain)
  const agents = keys.map((key) => {
    const salt: Hex = `0x${randomBytes(32).toString('hex')}`
    const uuid = uuidFromAgentId(deriveAgentId(chain.deployment, account.address, salt))
    const keyFile = key.pem === null ? null : path.join(folder, `${uuid}.pem`)
    const spiffeId = formatSpiffeId({ trustDomain, type: type.value, name: uuid })
    return { ...key, salt, uuid, keyFile, spiffeId }
  })
  say(
    `Will register ${agents.length} of type ${type.value} to ${account.address} on chain ${chain.deployment.chainId}`,
  )
  if (agents.some((agent) => agent.keyFile !== null)) say(`Their keys go to ${folder}`)
  await confirm(context, 'Register?')

  const done: typeof agents = []
  const hashes: Hex[] = []
  for (let i = 0; i < agents.length; i += perTransaction) {
    const batch = agents.slice(i, i + perTransaction)
    // A registration without its key is of no use, a key without its registration does no harm: keys first.
    for (const { keyFile, pem } of batch) if (keyFile !== null && pem !== null) writeKey(keyFile, pem)
    try {
      const { receipt } = await sendTransaction(context, chain, account, 'registerBatch', [
        batch.map(({ publicKey, salt }) => ({ agentType: type.value, key: publicKey, salt })),
      ])
      hashes.push(receipt.transactionHash)
      done.push(...batch)
    } catch (error) {
      // Only where nothing can land any more.
      if (error instanceof CliError && error.exitCode === exitCode.refused)
        for (const { keyFile } of batch) if (keyFile !== null) rmSync(keyFile, { force: true })
      if (done.length > 0)
        say(`Registered before the failure: ${done.map((agent) => agent.spiffeId).join(' ')}`)
      throw error
    }
  }
  for (const agent of done)
    say(`registered ${agent.spiffeId}${agent.keyFile === null ? '' : `  ${agent.keyFile}`}`)
  return {
    exitCode: exitCode.done,
    json: {
      owner: account.address.toLowerCase(),
      txHashes: hashes,
      agents: done.map(({ uuid, spiffeId, publicKey, keyFile }) => ({ uuid, spiffeId, publicKey, keyFile })),
    },
  }
}

export const registerCommand: Command = {
  name: 'register',
  usage: 'register --type <type> [--count <number> | --public-key <hex> ...]',
  summary: 'register agents to the wallet of the key',
  details: `Makes an Ed25519 key for each agent and writes it to <uuid>.pem (PKCS #8, mode 0600) in --out (default
.killswitch/agents). With --public-key the agent keeps its key to itself.`,
  options: optionsOf(['type', 'count', 'public-key', 'out', 'yes'], { chain: true, key: true }),
  run,
}
