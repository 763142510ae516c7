import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'

/** A script that a built app loads before it shows anything. */
export type InitialScript = { readonly file: string; readonly gzipped: number }

/** Entry and everything that it imports statically, which Vite names in the page itself. Sizes in bytes. */
export function initialScripts(folder: string): readonly InitialScript[] {
  const page = readFileSync(path.join(folder, 'index.html'), 'utf8')
  return [...page.matchAll(/(?:src|href)="\.\/([^"]+\.js)"/g)].map(([, name]) => {
    const file = name as string
    return { file, gzipped: gzipSync(readFileSync(path.join(folder, file))).length }
  })
}
