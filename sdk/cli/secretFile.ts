import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { OptionError } from './options.ts'

/** No secret that this program reads is longer. */
const maxBytes = 64 * 1024

/**
 * Reads a file whose content is a secret. The rights are those of the opened file, so it cannot be swapped in between.
 * @param source the option that named it, for the error
 * @throws {OptionError} when it is missing, or others may read or write it
 */
export function readSecretFile(file: string, source: string, secret = true): string {
  let handle: number
  try {
    handle = openSync(file, 'r')
  } catch (error) {
    throw new OptionError(
      source,
      `names ${file}, which cannot be read: ${(error as NodeJS.ErrnoException).code}`,
      error,
    )
  }
  try {
    const stat = fstatSync(handle)
    if (!stat.isFile()) throw new OptionError(source, `names ${file}, which is no file`)
    const mode = stat.mode & 0o777
    // Windows has no such bits.
    if (secret && process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new OptionError(
        source,
        `names ${file}, which others may read or change (mode 0${mode.toString(8)}); chmod 600 ${file}`,
      )
    }
    if (stat.size > maxBytes)
      throw new OptionError(source, `names ${file}, which is too large (${stat.size} bytes)`)
    return readFileSync(handle, 'utf8')
  } finally {
    closeSync(handle)
  }
}
