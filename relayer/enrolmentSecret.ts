import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createSecretFile, readSecretFile } from './identity/secretFile.ts'

/** The operator's secret that makes enrolment tokens; made on first use, mode 0600. */
export function openEnrolmentSecret(data: string): Buffer {
  const file = join(data, 'enrolment.key')
  if (readSecretFile(file) === null) createSecretFile(file, randomBytes(32).toString('hex'))
  return Buffer.from((readSecretFile(file) as string).trim(), 'hex')
}
