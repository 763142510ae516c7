import { randomUUID } from 'node:crypto'
import pino, { stdSerializers } from 'pino'
import { deploymentId } from '../protocol/deployment.ts'
import { formatSpiffeId, InvalidSpiffeIdError, isReservedType, parseSpiffeId } from '../protocol/spiffeId.ts'
import { AuditChainBrokenError } from './audit/entry.ts'
import { NoGrantPointError } from './chain/follow/follower.ts'
import { GrantPointForkedError } from './chain/follow/headerChain.ts'
import { NoGovernedContractError, OtherKillSwitchError } from './chain/governedContract.ts'
import { NoKillSwitchError, SvidLifeTooLongError } from './chain/minCooldown.ts'
import { WrongChainError } from './chain/rpc/rpcErrors.ts'
import { AppFolderError } from './http/app.ts'
import { ListenError } from './http/listeners.ts'
import { openOperatorSecret } from './identity/operatorSecret.ts'
import { type OperatorStatement, signStatement } from './identity/operatorStatement.ts'
import { SecretFileExposedError } from './identity/secretFile.ts'
import { startNode } from './node.ts'
import { help, OptionError, readNodeOptions, readStatementOptions } from './options.ts'
import { StoreUnavailableError } from './store/database.ts'
import { SettingChangedError } from './store/settings.ts'

function statementOf(
  action: OperatorStatement['action'],
  spiffeId: string,
  data: string,
  life: number,
): string {
  const id = parseSpiffeId(spiffeId)
  if (!isReservedType(id.type))
    throw new OptionError(
      action,
      `${spiffeId} is an agent's; only reserved types such as service are enrolled`,
    )
  const issuedAt = Date.now()
  return signStatement(openOperatorSecret(data), {
    action,
    id: randomUUID(),
    spiffeId: formatSpiffeId(id),
    issuedAt,
    expiresAt: issuedAt + life,
  })
}

/** The relayer did not withdraw an enrolment. */
class WithdrawalFailedError extends Error {
  override readonly name = 'WithdrawalFailedError'
}

async function withdraw(url: string, token: string): Promise<string> {
  let answer: Response
  try {
    answer = await fetch(new URL('/enrolments', url), {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(10_000),
    })
  } catch (error) {
    throw new WithdrawalFailedError(
      `no relayer answers at ${url} (${(error as Error).message}); start it, or name its address with --listen`,
    )
  }
  // Whoever listens there need not be a relayer.
  const body = (await answer.json().catch(() => ({}))) as {
    readonly spiffeId?: string
    readonly detail?: string
  }
  if (body.spiffeId !== undefined) return body.spiffeId
  throw new WithdrawalFailedError(
    body.detail === undefined
      ? `${url} answers with ${answer.status} as no relayer does; name the relayer's address with --listen`
      : `${answer.status}: ${body.detail}`,
  )
}

/** Errors that the operator can mend: their message is all there is to say. */
const foreseen = [
  OptionError,
  ListenError,
  AppFolderError,
  StoreUnavailableError,
  SettingChangedError,
  InvalidSpiffeIdError,
  SvidLifeTooLongError,
  NoKillSwitchError,
  NoGovernedContractError,
  OtherKillSwitchError,
  WrongChainError,
  GrantPointForkedError,
  NoGrantPointError,
  AuditChainBrokenError,
  SecretFileExposedError,
  WithdrawalFailedError,
]

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(help)
    return
  }
  const command = argv[0]
  if (command === 'enrol' || command === 'withdraw') {
    const { spiffeId, data, life, url } = readStatementOptions(command, argv.slice(1), process.env)
    const token = statementOf(command, spiffeId, data, life)
    process.stdout.write(
      command === 'enrol' ? `${token}\n` : `${await withdraw(url, token)} is no longer enrolled\n`,
    )
    return
  }
  const options = readNodeOptions(argv, process.env)
  const log = pino(
    { level: options.logLevel, serializers: { error: stdSerializers.err } },
    pino.destination({ fd: 2, sync: false }),
  )
  const node = await startNode({ ...options, log })
  let stopping = false
  const stop = (signal: string) => {
    if (stopping) return
    stopping = true
    log.info({ signal }, 'stopping')
    node.stop().then(
      () => process.exit(0),
      (err: unknown) => {
        log.error({ err }, 'stopping failed')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  const { url, mtlsUrl, relayer } = node
  process.stdout.write(
    `${JSON.stringify({ ready: true, url, mtlsUrl, relayer, deployment: deploymentId(options.deployment), trustDomain: options.trustDomain })}\n`,
  )
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const known = foreseen.some((kind) => error instanceof kind)
  process.stderr.write(
    `killswitch-relayer: ${error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error)}\n`,
  )
  process.exit(1)
})
