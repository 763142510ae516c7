import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { buildOnce } from './buildOnce.ts'

let parent: string
beforeEach(() => {
  parent = path.join(mkdtempSync(path.join(tmpdir(), 'killswitch-build-')), 'builds')
})
afterEach(() => rmSync(path.dirname(parent), { recursive: true, force: true }))

const page = (folder: string) => path.join(folder, 'index.html')
const writes = (text: string) => async (folder: string) => writeFileSync(page(folder), text)

test('a version is built once', async () => {
  const first = await buildOnce(parent, 'one', writes('first'))
  const second = await buildOnce(parent, 'one', writes('second'))
  expect(second).toBe(first)
  expect(readFileSync(page(second), 'utf8')).toBe('first')
})

test('of builds at once none sees what another has half done, or takes away what another was given', async () => {
  const slow = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const late = buildOnce(parent, 'one', async (folder) => {
    begun.resolve()
    await slow.promise
    await writes('late')(folder)
  })
  await begun.promise
  const early = await buildOnce(parent, 'one', writes('early'))
  expect(readFileSync(page(early), 'utf8')).toBe('early')
  slow.resolve()
  expect(await late).toBe(early)
  expect(readFileSync(page(early), 'utf8')).toBe('early')
  expect(readdirSync(parent)).toEqual(['one'])
})

test('a new version leaves what may be in use, and takes away what is old or was never finished', async () => {
  const recent = await buildOnce(parent, 'one', writes('recent'))
  const old = await buildOnce(parent, 'two', writes('old'))
  const unfinished = path.join(parent, '.unfinished-x')
  mkdirSync(unfinished)
  const dayAgo = Date.now() / 1000 - 24 * 3_600
  for (const folder of [recent, old, unfinished]) utimesSync(folder, 0, dayAgo - 1)
  await buildOnce(parent, 'one', writes('not again'))
  const now = await buildOnce(parent, 'three', writes('new'))
  expect([recent, old, unfinished].map((folder) => existsSync(folder))).toEqual([true, false, false])
  expect(readFileSync(page(now), 'utf8')).toBe('new')
})

test('a build that fails leaves nothing', async () => {
  const failing = buildOnce(parent, 'one', async (folder) => {
    await writes('half')(folder)
    throw new Error('out of ideas')
  })
  await expect(failing).rejects.toThrow('out of ideas')
  expect(readdirSync(parent)).toEqual([])
  expect(readFileSync(page(await buildOnce(parent, 'one', writes('whole'))), 'utf8')).toBe('whole')
})
