import { randomUUID } from 'node:crypto'
import pino from 'pino'
import { deploymentId } from '../protocol/deployment.ts'
import { formatSpiffeId, InvalidSpiffeIdError, isReservedType, parseSpiffeId } from '../protocol/spiffeId.ts'
import { AuditChainBrokenError } from './audit/entry.ts'
import { NoGrantPointError } from './chain/follower.ts'
import { GrantPointForkedError } from './chain/headerChain.ts'
import { SvidLifeTooLongError } from './chain/minCooldown.ts'
import { openEnrolmentSecret } from './enrolmentSecret.ts'
import { ListenError } from './http/listeners.ts'
import { mintEnrolmentToken } from './identity/enrolmentToken.ts'
import { SecretFileExposedError } from './identity/secretFile.ts'
import { startNode } from './node.ts'
import { help, OptionError, readEnrolOptions, readNodeOptions } from './options.ts'
import { StoreUnavailableError } from './store/database.ts'
import { SettingChangedError } from './store/settings.ts'

/** Errors that the operator can mend: their message is all there is to say. */
const foreseen = [
  OptionError,
  ListenError,
  StoreUnavailableError,
  SettingChangedError,
  InvalidSpiffeIdError,
  SvidLifeTooLongError,
  GrantPointForkedError,
  NoGrantPointError,
  AuditChainBrokenError,
  SecretFileExposedError,
]

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(help)
    return
  }
  if (argv[0] === 'enrol') {
    const { spiffeId, data, life } = readEnrolOptions(argv.slice(1), process.env)
    const id = parseSpiffeId(spiffeId)
    if (!isReservedType(id.type))
      throw new OptionError(
        'enrol',
        `${spiffeId} is an agent's; only reserved types such as service are enrolled`,
      )
    const token = mintEnrolmentToken(openEnrolmentSecret(data), {
      id: randomUUID(),
      spiffeId: formatSpiffeId(id),
      expiresAt: Date.now() + life,
    })
    process.stdout.write(`${token}\n`)
    return
  }
  const options = readNodeOptions(argv, process.env)
  const log = pino({ level: options.logLevel }, pino.destination({ fd: 2, sync: false }))
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
