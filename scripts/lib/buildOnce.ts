import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import path from 'node:path'

const unfinished = '.unfinished-'
/** ms */
const outOfUse = 24 * 3_600_000

/**
 * What is built of one version of the sources, built where it is not there yet.
 *
 * A folder appears under its version's name whole or not at all, so that several processes may ask at once: each builds
 * aside, the first to end gives it its name, the others take that one.
 * @param parent the folder of all versions; whatever else nobody has asked for in a day is removed
 * @param build fills an empty folder
 * @returns the folder, to be read only
 */
export async function buildOnce(
  parent: string,
  version: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = path.join(parent, version)
  if (existsSync(folder)) {
    utimesSync(folder, new Date(), new Date())
    return folder
  }
  mkdirSync(parent, { recursive: true })
  const aside = mkdtempSync(path.join(parent, unfinished))
  try {
    await build(aside)
    try {
      renameSync(aside, folder)
    } catch (error) {
      if (!existsSync(folder)) throw error
    }
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
  for (const other of readdirSync(parent)) {
    const stat = statSync(path.join(parent, other), { throwIfNoEntry: false })
    if (other !== version && stat !== undefined && stat.mtimeMs < Date.now() - outOfUse)
      rmSync(path.join(parent, other), { recursive: true, force: true })
  }
  return folder
}
