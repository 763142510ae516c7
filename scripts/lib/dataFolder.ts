import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { SetupError } from './setupError.ts'

/** A folder for what one run makes: keys, logs, the relayer's data. */
export type DataFolder = {
  readonly path: string
  file(name: string): string
  /** Writes a file that only its owner may read. */
  writeSecret(name: string, content: string): string
  /** Removes what the run made, and nothing else; the folder too when nothing else is in it. */
  remove(): void
}

/** All that a run writes; a run begins by removing what an earlier one left. */
const contents = ['local.json', 'keys', 'relayer', 'logs', 'app', 'owner.pid'] as const

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** @throws {SetupError} */
function writable<T>(folder: string, write: () => T): T {
  try {
    return write()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    const why =
      code === 'ENOSPC' ? 'the disk is full' : code === 'ENOTDIR' ? 'part of it is a file' : `${code}`
    throw new SetupError(`cannot write to ${folder} (${why}); --data <folder> names another`, error)
  }
}

/**
 * Takes a folder for this process.
 * @throws {SetupError} when it cannot be written, or another run that still lives has it
 */
export function takeDataFolder(folder: string): DataFolder {
  const file = (name: string): string => path.join(folder, name)
  const owner = file('owner.pid')
  let pid = Number.NaN
  try {
    pid = Number(readFileSync(owner, 'utf8'))
  } catch {
    // Nobody has it.
  }
  if (Number.isInteger(pid) && pid > 0 && pid !== process.pid && isAlive(pid))
    throw new SetupError(
      `${folder} belongs to a run that goes on (process ${pid}); --data <folder> names another`,
    )
  const clear = (): void => {
    for (const name of contents) rmSync(file(name), { recursive: true, force: true })
  }
  return writable(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    clear()
    writeFileSync(owner, String(process.pid), { mode: 0o600 })
    for (const name of ['keys', 'relayer', 'logs']) mkdirSync(file(name), { mode: 0o700 })
    return {
      path: folder,
      file,
      writeSecret: (name, content) =>
        writable(folder, () => {
          writeFileSync(file(name), content, { mode: 0o600 })
          return file(name)
        }),
      remove() {
        clear()
        try {
          rmdirSync(folder)
        } catch {
          // Something else is in it, or it is gone.
        }
      },
    }
  })
}
