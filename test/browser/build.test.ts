// What `npm run build` makes: a folder that any web server or IPFS can serve.
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { developmentRdns } from '../../app/wallet/developmentRdns.ts'
import { initialScripts } from '../../scripts/lib/appSize.ts'
import { buildApp, buildLocalApp } from '../../scripts/lib/buildApp.ts'

/** Bytes of gzipped JavaScript before the first page shows: what we aim at. */
const most = 170_000

const folder = mkdtempSync(path.join(tmpdir(), 'killswitch-build-'))
const textOf = (built: string): string =>
  globSync('**/*.{html,js,css,json}', { cwd: built })
    .map((file) => readFileSync(path.join(built, file), 'utf8'))
    .join('\n')

describe('the built dApp', () => {
  beforeAll(() => buildApp(folder, 'production'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('loads little before it shows something', () => {
    const scripts = initialScripts(folder)
    const total = scripts.reduce((sum, { gzipped }) => sum + gzipped, 0)
    console.info(`initial JavaScript: ${(total / 1000).toFixed(1)} kB gzipped in ${scripts.length} files`)
    expect(scripts.length).toBeGreaterThan(0)
    expect(total).toBeLessThanOrEqual(most)
  })

  it('has no development wallet, which only the build for local chains has', async () => {
    expect(textOf(folder)).not.toContain(developmentRdns)
    expect(textOf(await buildLocalApp())).toContain(developmentRdns)
  })

  it('works under any address and loads nothing from anywhere else', () => {
    const page = readFileSync(path.join(folder, 'index.html'), 'utf8')
    // Fragments lead to the page's own parts.
    const addresses = [...page.matchAll(/(?:src|href)="([^"#][^"]*)"/g)].map(
      ([, address]) => address as string,
    )
    expect(addresses.length).toBeGreaterThan(2)
    for (const address of addresses) expect(address).toMatch(/^\.\//)
    for (const file of globSync('**/*.css', { cwd: folder }))
      for (const [, address] of readFileSync(path.join(folder, file), 'utf8').matchAll(
        /url\(["']?([^)"']+)/g,
      ))
        expect(address).toMatch(/^(\.\/)?[\w./-]+$/)
  })

  it('carries a strict policy, for servers that send none, and needs nothing that it forbids', () => {
    const page = readFileSync(path.join(folder, 'index.html'), 'utf8')
    const [, written = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? []
    const policy = written.replaceAll('&#39;', "'")
    const directives = Object.fromEntries(
      policy.split('; ').map((one) => [one.split(' ')[0], one.split(' ').slice(1).join(' ')]),
    )
    expect(directives).toMatchObject({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'font-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
    })
    expect(policy).not.toMatch(/unsafe|\*/)
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=/)
  })
})
