import { execFileSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A real file system of a few megabytes that can be filled and can fail. */
export type SmallDisk = {
  readonly folder: string
  /** Takes all the space that is left. */
  fill(): void
  /** Gives that space back. */
  free(): void
  /** Makes the kernel find an error in it, after which it takes no writes until it is mounted anew. */
  fail(): void
  /** Mounts it anew after a failure; nothing on it may be open. */
  mend(): void
  remove(): void
}

const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

/** @returns why there can be none here: it needs Linux, root and a loop device */
export function createSmallDisk(megabytes: number): SmallDisk | string {
  const home = mkdtempSync(path.join(tmpdir(), 'killswitch-small-disk-'))
  const image = path.join(home, 'image')
  const folder = path.join(home, 'disk')
  const filling = path.join(folder, 'filling')
  const mount = () => run('mount', '-o', 'loop,errors=remount-ro', image, folder)
  try {
    mkdirSync(folder)
    writeFileSync(image, '')
    truncateSync(image, megabytes * 1024 * 1024)
    // Without a journal and without a reserve for root, which would be used up first.
    run('mkfs.ext4', '-q', '-m', '0', '-O', '^has_journal', image)
    mount()
  } catch (error) {
    rmSync(home, { recursive: true, force: true })
    return `no small file system can be mounted here (${(error as Error).message.split('\n')[0]})`
  }

  return {
    folder,
    fill() {
      const descriptor = openSync(filling, 'a')
      try {
        for (let size = 1024 * 1024; size >= 1; ) {
          try {
            writeSync(descriptor, Buffer.alloc(size, 1))
          } catch {
            size = Math.floor(size / 2)
          }
        }
      } finally {
        closeSync(descriptor)
      }
    },
    free: () => rmSync(filling),
    fail() {
      const device = path.basename(run('findmnt', '-no', 'SOURCE', folder).trim())
      writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, 'the test wants it')
    },
    mend() {
      run('umount', folder)
      try {
        run('fsck.ext4', '-y', image)
      } catch {
        // Its exit code says that it mended something.
      }
      mount()
    },
    remove() {
      run('umount', '-l', folder)
      rmSync(home, { recursive: true, force: true })
    },
  }
}
