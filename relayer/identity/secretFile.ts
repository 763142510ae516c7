import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { makeFolder, syncFolder } from '../durableFolder.ts'

export class SecretFileExposedError extends Error {
  override readonly name = 'SecretFileExposedError'
  readonly path: string
  readonly mode: number
  constructor(file: string, mode: number) {
    super(
      `${file} has mode ${mode.toString(8).padStart(4, '0')}: others can read or change it; run chmod 600 on it, and replace the key if they may have`,
    )
    this.path = file
    this.mode = mode
  }
}

const hasCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code

/**
 * The text of a file that only its owner may read; null where there is none.
 * @throws {SecretFileExposedError} if group or others have any right on it
 */
export function readSecretFile(file: string): string | null {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
  try {
    // The rights are read from the open file, so that what is checked is what is read.
    const mode = fstatSync(descriptor).mode & 0o777
    // Windows has no such bits.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) throw new SecretFileExposedError(file, mode)
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Writes a new file of mode 0600, whole or not at all and durable; false where there is one already, which stays as
 * it is. The folder is made (0700) where missing.
 */
export function createSecretFile(file: string, text: string): boolean {
  const folder = path.dirname(file)
  makeFolder(folder)
  const draft = `${file}.${process.pid}.new`
  rmSync(draft, { force: true })
  const descriptor = openSync(draft, 'wx', 0o600)
  try {
    // Not writeSync: on a disk that is almost full it writes a part and says so only in its result.
    writeFileSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  try {
    // Unlike rename, link never replaces: of two processes that start at once, both go on with the same key.
    linkSync(draft, file)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    // Its maker may not have got as far as making its name durable.
    syncFolder(folder)
    return false
  } finally {
    rmSync(draft, { force: true })
  }
  syncFolder(folder)
  return true
}
