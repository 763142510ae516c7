import { describe, expect, it } from 'vitest'
import { runScript } from './support/script.ts'

describe('npm run demo', () => {
  it('stops what it kills, three ways, and nobody else', { timeout: 120_000 }, async () => {
    const demo = runScript('scripts/demo.ts', ['--json', '--agents', '6', '--enforcers', '2'])
    const code = await demo.ended()
    expect(demo.stderr()).not.toMatch(/demo:/)
    expect(code).toBe(0)
    const kills = JSON.parse(demo.stdout().trim().split('\n').pop() ?? '') as Record<string, object>
    expect(Object.keys(kills)).toEqual(['transaction', 'signed', 'emergency'])
    for (const [name, agents] of [
      ['transaction', 1],
      ['signed', 1],
      ['emergency', 2],
    ] as const) {
      expect(kills[name]).toEqual({
        agents,
        seenToDurableMs: expect.any(Number),
        seenToLastAcceptedMs: expect.any(Number),
        seenToConfirmedMs: expect.any(Number),
        ok: true,
      })
    }
  })

  it('says which option is wrong', async () => {
    const demo = runScript('scripts/demo.ts', ['--agents', '3'])
    expect(await demo.ended()).toBe(1)
    expect(demo.stderr()).toBe('demo: --agents 3: it must be a whole number from 4 to 1000\n')
  })
})
