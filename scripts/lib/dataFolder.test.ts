import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { takeDataFolder } from './dataFolder.ts'
import { SetupError } from './setupError.ts'

let base: string
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'killswitch-data-'))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

describe('takeDataFolder', () => {
  it('keeps secrets to their owner and removes all that it made', () => {
    const folder = path.join(base, 'new')
    const data = takeDataFolder(folder)
    const file = data.writeSecret('keys/alice.key', 'secret')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    data.remove()
    expect(existsSync(folder)).toBe(false)
  })

  it("leaves other people's files alone, and clears what an earlier run left", () => {
    const notes = path.join(base, 'notes.txt')
    writeFileSync(notes, 'mine')
    mkdirSync(path.join(base, 'relayer'))
    writeFileSync(path.join(base, 'relayer', 'relayer.db'), 'of another chain')
    const data = takeDataFolder(base)
    expect(existsSync(path.join(base, 'relayer', 'relayer.db'))).toBe(false)
    data.remove()
    expect(existsSync(notes)).toBe(true)
  })

  it('is refused to a second run while the first lives, and only then', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    writeFileSync(path.join(base, 'owner.pid'), String(other.pid))
    expect(() => takeDataFolder(base)).toThrow(/belongs to a run that goes on .*--data/)
    const gone = once(other, 'exit')
    other.kill()
    await gone
    expect(() => takeDataFolder(base)).not.toThrow()
  })

  it('says which option helps when it cannot be written', () => {
    const file = path.join(base, 'file')
    writeFileSync(file, '')
    expect(() => takeDataFolder(path.join(file, 'below'))).toThrow(SetupError)
    expect(() => takeDataFolder(path.join(file, 'below'))).toThrow(/cannot write to .*--data <folder>/)
  })
})
