// Types, lint and format, side by side: one line per tool, and the output of those that fail. Changes nothing.
import { spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

const root = path.resolve(import.meta.dirname, '..')
const SOLIDITY = ['contracts/**/*.sol', 'test/contracts/**/*.sol']

type Tool = {
  readonly name: string
  readonly package: string
  readonly bin: string
  readonly args: readonly string[]
}
type Result = {
  readonly name: string
  readonly ok: boolean
  readonly seconds: number
  readonly output: string
}

const tools: readonly Tool[] = [
  { name: 'types', package: 'typescript', bin: 'tsc', args: ['--noEmit'] },
  { name: 'types (app)', package: 'typescript', bin: 'tsc', args: ['--noEmit', '-p', 'app'] },
  { name: 'biome', package: '@biomejs/biome', bin: 'biome', args: ['ci', '--error-on-warnings'] },
]

/** solhint calls a pattern without files an error. */
const solidityTools: readonly Tool[] = [
  {
    name: 'solhint',
    package: 'solhint',
    bin: 'solhint',
    args: ['--disc', '--noPoster', '--max-warnings', '0', ...SOLIDITY],
  },
  {
    name: 'prettier (.sol)',
    package: 'prettier',
    bin: 'prettier',
    args: ['--check', '--no-error-on-unmatched-pattern', ...SOLIDITY],
  },
]

/** A tool's own script, so that it runs under this Node and without a shell on every system. */
function scriptOf(tool: Tool): string {
  const folder = path.join(root, 'node_modules', tool.package)
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
    bin: string | Record<string, string>
  }
  const file = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[tool.bin]
  if (file === undefined) throw new Error(`${tool.package} has no command ${tool.bin}`)
  return path.join(folder, file)
}

function run(tool: Tool): Promise<Result> {
  const started = performance.now()
  const color = process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [scriptOf(tool), ...tool.args], {
      cwd: root,
      env: { ...process.env, ...color },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    const end = (ok: boolean): void =>
      resolve({ name: tool.name, ok, seconds: (performance.now() - started) / 1000, output })
    child.on('error', (error) => {
      output += error.message
      end(false)
    })
    child.on('close', (code) => end(code === 0))
  })
}

const hasSolidity = globSync([...SOLIDITY], { cwd: root }).length > 0
const results = await Promise.all(
  [...tools, ...(hasSolidity ? solidityTools : [])].map(async (tool) => {
    const result = await run(tool)
    console.log(
      `${result.ok ? 'ok    ' : 'FAILED'}  ${result.name.padEnd(16)} ${result.seconds.toFixed(1)} s`,
    )
    return result
  }),
)
const failed = results.filter((result) => !result.ok)
for (const { name, output } of failed) console.log(`\n--- ${name}\n${output.trim()}`)
if (failed.length > 0) {
  console.log(
    `\ncheck: failed (${failed.map((result) => result.name).join(', ')}); npm run format mends what is layout.`,
  )
  process.exitCode = 1
}
