// The directions in which folders may depend on each other are lint rules in biome.json. Here each forbidden
// direction is really tried, so that a rule which no longer matches (a renamed folder, a newer Biome) is noticed.
// Real files in a temporary folder: `biome lint --stdin-file-path` reports no diagnostics (Biome 2.6).
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')

/** From a file, through a module specifier. */
type Import = readonly [from: string, specifier: string]

const FORBIDDEN: readonly Import[] = [
  ...['relayer', 'sdk', 'app', 'scripts', 'test', 'bench'].map(
    (folder): Import => ['protocol/liveness.ts', `../${folder}/any.ts`],
  ),
  ['protocol/feed/message.ts', '../../relayer/feed/any.ts'],
  ['protocol/liveness.test.ts', '../relayer/kill/any.ts'],
  ['protocol/liveness.ts', 'node:fs'],
  ['protocol/liveness.ts', 'node:fs/promises'],
  ['protocol/liveness.ts', 'crypto'],
  ...['relayer', 'scripts', 'app'].map((folder): Import => ['sdk/agent/guard.ts', `../../${folder}/any.ts`]),
  ...['relayer', 'scripts', 'sdk'].map(
    (folder): Import => ['app/routes/agents.ts', `../../${folder}/any.ts`],
  ),
  ...['sdk', 'app', 'scripts'].map((folder): Import => ['relayer/http/agents.ts', `../../${folder}/any.ts`]),
  ['relayer/node.ts', '../sdk/client/any.ts'],
  ...['kill', 'trust', 'fence', 'policy'].flatMap((folder): readonly Import[] => [
    [`relayer/${folder}/any.ts`, '../http/any.ts'],
    [`relayer/${folder}/any.ts`, '../chain/any.ts'],
    [`relayer/${folder}/deep/any.ts`, '../../chain/any.ts'],
    [`relayer/${folder}/any.ts`, '../../sdk/client/any.ts'],
  ]),
]

const ALLOWED: readonly Import[] = [
  ['protocol/liveness.ts', './scope.ts'],
  ['protocol/feed/message.ts', '../scope.ts'],
  ['protocol/liveness.ts', '@noble/hashes/sha2.js'],
  ['protocol/liveness.test.ts', 'node:fs'],
  ['sdk/agent/guard.ts', '../../protocol/liveness.ts'],
  ['sdk/agent/guard.ts', 'node:tls'],
  ['app/routes/agents.ts', '../../protocol/liveness.ts'],
  ['relayer/kill/executor.ts', '../store/kills.ts'],
  ['relayer/kill/executor.ts', '../../protocol/liveness.ts'],
  ['relayer/kill/executor.ts', 'node:crypto'],
  ['relayer/http/agents.ts', '../kill/executor.ts'],
  ['relayer/node.ts', './chain/follower.ts'],
  // A package's own folder name is no direction of this repository.
  ['relayer/kill/executor.ts', '@modelcontextprotocol/sdk/client/index.js'],
  ['scripts/start.ts', '../relayer/node.ts'],
  ['test/e2e/kill.test.ts', '../../relayer/node.ts'],
]

/** The ways in which a module can name another. */
const FORMS: readonly ((specifier: string) => string)[] = [
  (specifier) => `import { a } from '${specifier}'\na()\n`,
  (specifier) => `import type { A } from '${specifier}'\nexport const a: A | undefined = undefined\n`,
  (specifier) => `const { a } = await import('${specifier}')\na()\n`,
]

const folder = mkdtempSync(path.join(tmpdir(), 'killswitch-directions-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** `relayer/kill/any.ts` becomes `relayer/kill/any-7.ts`: one file per case, in the folder that the rules look at. */
function fileOf([from]: Import, number: number): string {
  return from.replace(/(?=(\.test)?\.ts$)/, `-${number}`)
}

const cases = [...FORBIDDEN, ...ALLOWED].flatMap((edge) =>
  FORMS.map((form) => ({ edge, text: form(edge[1]) })),
)
const refused = new Set<string>()

beforeAll(() => {
  copyFileSync(path.join(root, 'biome.json'), path.join(folder, 'biome.json'))
  cases.forEach(({ edge, text }, number) => {
    const file = path.join(folder, fileOf(edge, number))
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  })
  const biome = path.join(root, 'node_modules/@biomejs/biome/bin/biome')
  const args = [
    'lint',
    '--only=style/noRestrictedImports',
    '--only=correctness/noNodejsModules',
    '--only=style/useNodejsImportProtocol',
    '--reporter=json',
    '--max-diagnostics=none',
    '.',
  ]
  const { stdout, stderr } = spawnSync(process.execPath, [biome, ...args], { cwd: folder, encoding: 'utf8' })
  const start = stdout.indexOf('{')
  if (start < 0) throw new Error(`Biome reported nothing: ${stderr}`)
  const report = JSON.parse(stdout.slice(start)) as {
    diagnostics: { severity: string; location: { path: string } }[]
  }
  for (const { severity, location } of report.diagnostics) {
    if (severity === 'error') refused.add(location.path.replaceAll('\\', '/'))
  }
})

describe.each([
  { title: 'forbidden', edges: FORBIDDEN, expected: true },
  { title: 'allowed', edges: ALLOWED, expected: false },
])('$title', ({ edges, expected }) => {
  test.each(edges)('%s -> %s', (...edge) => {
    const results = cases.flatMap((one, number) =>
      one.edge[0] === edge[0] && one.edge[1] === edge[1]
        ? [{ text: one.text, refused: refused.has(fileOf(one.edge, number)) }]
        : [],
    )
    expect(results).toHaveLength(FORMS.length)
    expect(results.filter((result) => result.refused !== expected)).toEqual([])
  })
})
