import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Random } from './random.ts'

/** What recordDisk.c wrote down, in order. */
export type DiskOperation =
  | {
      readonly type: 'open'
      readonly existed: boolean
      readonly truncate: boolean
      readonly inode: string
      readonly path: string
    }
  | { readonly type: 'write'; readonly inode: string; readonly at: number; readonly bytes: Buffer }
  | { readonly type: 'truncate'; readonly inode: string; readonly size: number }
  | { readonly type: 'sync'; readonly inode: string }
  | { readonly type: 'unlink'; readonly path: string }
  | { readonly type: 'link' | 'rename'; readonly from: string; readonly to: string }
  | { readonly type: 'mkdir'; readonly inode: string; readonly path: string }

export function readDiskJournal(file: string): readonly DiskOperation[] {
  const journal = readFileSync(file)
  const operations: DiskOperation[] = []
  for (let at = 0; at < journal.length; ) {
    const end = journal.indexOf(10, at)
    const line = journal.subarray(at, end).toString()
    at = end + 1
    const space = line.indexOf(' ')
    const type = line.slice(0, space)
    const rest = line.slice(space + 1)
    const words = rest.split(' ')
    const inode = words[0] as string
    switch (type) {
      case 'open':
        operations.push({
          type,
          existed: words[0] === '1',
          truncate: words[1] === '1',
          inode: words[2] as string,
          path: words.slice(3).join(' '),
        })
        break
      case 'write': {
        const length = Number(words[2])
        operations.push({ type, inode, at: Number(words[1]), bytes: journal.subarray(at, at + length) })
        at += length
        break
      }
      case 'truncate':
        operations.push({ type, inode, size: Number(words[1]) })
        break
      case 'sync':
        operations.push({ type, inode })
        break
      case 'mkdir':
        operations.push({ type, inode, path: words.slice(1).join(' ') })
        break
      case 'unlink':
        operations.push({ type, path: rest })
        break
      case 'link':
      case 'rename': {
        const [from, to] = rest.split('\t') as [string, string]
        operations.push({ type, from, to })
        break
      }
      default:
        throw new Error(`a record that is not understood: ${line.slice(0, 200)}`)
    }
  }
  return operations
}

type Change = { readonly at: number; readonly bytes: Buffer } | { readonly size: number }
type File = { durable: Buffer; pending: Change[] }
type NameChange = { readonly name: string; readonly node: Node | null }
type Folder = {
  readonly durable: Map<string, Node>
  readonly current: Map<string, Node>
  pending: NameChange[]
}
type Node = { readonly file: File } | { readonly folder: Folder }

/** bytes; what a disk writes whole. */
const sector = 512

/** How much of what nobody asked to be made durable a power cut leaves. */
export type Survival = 'nothing' | 'everything' | 'a prefix' | 'any sectors'

/**
 * A disk below a folder that keeps apart what was made durable (fsync of the file for its bytes, of its folder for its
 * name) and what was not: of the latter a power cut keeps whatever it likes. Of names it keeps a prefix for each
 * folder, as file systems that log their metadata do; of bytes any sectors.
 */
export function createDisk(root: string) {
  const newFolder = (): Folder => ({ durable: new Map(), current: new Map(), pending: [] })
  const top = newFolder()
  const byInode = new Map<string, Node>()

  /** The folder and the last name of a path below the root; null for the root itself. */
  const locate = (file: string): { readonly folder: Folder; readonly name: string } | null => {
    const names = path.relative(root, file).split('/')
    if (names[0] === '') return null
    const name = names.pop() as string
    let folder = top
    for (const part of names) {
      const node = folder.current.get(part)
      if (node === undefined || !('folder' in node)) throw new Error(`no folder ${part} in ${file}`)
      folder = node.folder
    }
    return { folder, name }
  }
  const put = (file: string, node: Node | null) => {
    const place = locate(file)
    if (place === null) return
    if (node === null) place.folder.current.delete(place.name)
    else place.folder.current.set(place.name, node)
    place.folder.pending.push({ name: place.name, node })
  }
  const nodeAt = (file: string): Node | undefined => {
    const place = locate(file)
    return place === null ? { folder: top } : place.folder.current.get(place.name)
  }
  const fileOf = (inode: string): File => {
    const node = byInode.get(inode)
    if (node === undefined || !('file' in node)) throw new Error(`inode ${inode} was never opened`)
    return node.file
  }

  return {
    apply(operation: DiskOperation): void {
      switch (operation.type) {
        case 'open': {
          let node = nodeAt(operation.path)
          if (node === undefined) {
            node = { file: { durable: Buffer.alloc(0), pending: [] } }
            put(operation.path, node)
          }
          byInode.set(operation.inode, node)
          if (operation.truncate && 'file' in node) node.file.pending.push({ size: 0 })
          return
        }
        case 'write':
          fileOf(operation.inode).pending.push({ at: operation.at, bytes: operation.bytes })
          return
        case 'truncate':
          fileOf(operation.inode).pending.push({ size: operation.size })
          return
        case 'sync': {
          const node = byInode.get(operation.inode)
          if (node === undefined) throw new Error(`inode ${operation.inode} was never opened`)
          if ('file' in node) {
            node.file.durable = changed(node.file.durable, node.file.pending)
            node.file.pending = []
          } else {
            for (const change of node.folder.pending) rename(node.folder.durable, change)
            node.folder.pending = []
          }
          return
        }
        case 'mkdir': {
          const node = { folder: newFolder() }
          byInode.set(operation.inode, node)
          put(operation.path, node)
          return
        }
        case 'unlink':
          put(operation.path, null)
          return
        case 'link':
          put(operation.to, nodeAt(operation.from) as Node)
          return
        case 'rename':
          put(operation.to, nodeAt(operation.from) as Node)
          put(operation.from, null)
      }
    },

    /** Writes the disk as a power cut now may leave it. */
    writeTo(target: string, survival: Survival, random: Random): void {
      const write = (folder: Folder, at: string): void => {
        mkdirSync(at, { recursive: true, mode: 0o700 })
        const names = new Map(folder.durable)
        const kept =
          survival === 'nothing'
            ? 0
            : survival === 'everything'
              ? folder.pending.length
              : random.integer(0, folder.pending.length)
        for (const change of folder.pending.slice(0, kept)) rename(names, change)
        for (const [name, node] of names) {
          const place = path.join(at, name)
          if ('folder' in node) write(node.folder, place)
          else
            writeFileSync(place, changed(node.file.durable, surviving(node.file.pending, survival, random)), {
              mode: 0o600,
            })
        }
      }
      write(top, target)
    },
  }
}

function rename(names: Map<string, Node>, { name, node }: NameChange): void {
  if (node === null) names.delete(name)
  else names.set(name, node)
}

function changed(bytes: Buffer, changes: readonly Change[]): Buffer {
  let size = bytes.length
  let most = size
  for (const change of changes) {
    size = 'size' in change ? change.size : Math.max(size, change.at + change.bytes.length)
    most = Math.max(most, size)
  }
  const result = Buffer.alloc(most)
  bytes.copy(result)
  let end = bytes.length
  for (const change of changes) {
    if ('size' in change) {
      if (change.size < end) result.fill(0, change.size, end)
      end = change.size
    } else {
      change.bytes.copy(result, change.at)
      end = Math.max(end, change.at + change.bytes.length)
    }
  }
  return result.subarray(0, end)
}

function surviving(changes: readonly Change[], survival: Survival, random: Random): readonly Change[] {
  if (survival === 'nothing') return []
  if (survival === 'everything') return changes
  if (survival === 'a prefix') {
    const whole = random.integer(0, changes.length)
    const next = changes[whole]
    // The one that was being written is torn.
    const torn =
      next === undefined || 'size' in next
        ? []
        : [
            {
              at: next.at,
              bytes: next.bytes.subarray(
                0,
                sector * random.integer(0, Math.ceil(next.bytes.length / sector)),
              ),
            },
          ]
    return [...changes.slice(0, whole), ...torn]
  }
  return changes.flatMap((change): readonly Change[] => {
    if ('size' in change) return random.chance(0.5) ? [change] : []
    const sectors: Change[] = []
    const { at, bytes } = change
    for (let from = 0; from < bytes.length; ) {
      // Sectors of the disk, not of the write.
      const to = Math.min(bytes.length, from + sector - ((at + from) % sector))
      if (random.chance(0.5)) sectors.push({ at: at + from, bytes: bytes.subarray(from, to) })
      from = to
    }
    return sectors
  })
}
