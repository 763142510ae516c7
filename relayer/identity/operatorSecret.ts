import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createSecretFile, readSecretFile } from './secretFile.ts'

/** The operator's secret, which signs what the operator orders; made on first use, mode 0600. */
export function openOperatorSecret(data: string): Buffer {
  // The file's name is that of the first such orders.
  const file = join(data, 'enrolment.key')
  if (readSecretFile(file) === null) createSecretFile(file, randomBytes(32).toString('hex'))
  return Buffer.from((readSecretFile(file) as string).trim(), 'hex')
}
