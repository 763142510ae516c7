// Runs every test, stage by stage: Solidity tests, then Vitest (extra arguments go to it).
// The last line is `N passed, N failed` over all stages. A stage that fails without a failed test (it does not compile,
// a file does not load) counts as one failure, so the line never says 0 by mistake.
import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { stripVTControlCharacters } from 'node:util'

const root = path.resolve(import.meta.dirname, '..')

type Count = { readonly passed: number; readonly failed: number }

/** Runs a script of a tool under this Node, shows its output as it comes and returns it without colours. */
function run(script: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(root, 'node_modules', script), ...args], {
      cwd: root,
      env: {
        ...process.env,
        HARDHAT_DISABLE_TELEMETRY: 'true',
        ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const forward = (signal: NodeJS.Signals): never => {
      child.kill(signal)
      process.exit(130)
    }
    process.once('SIGINT', forward).once('SIGTERM', forward)
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      process.stdout.write(text)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      process.off('SIGINT', forward).off('SIGTERM', forward)
      resolve({ code: code ?? 1, output: stripVTControlCharacters(output) })
    })
  })
}

/** A failed stage has at least one failure. */
function counted(passed: number, failed: number, code: number): Count {
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed }
}

function lastNumber(output: string, word: string): number {
  return Number([...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}\\b`, 'gm'))].pop()?.[1] ?? 0)
}

async function solidity(): Promise<Count> {
  if (globSync('test/contracts/**/*.t.sol', { cwd: root }).length === 0) {
    console.log('no Solidity tests yet')
    return { passed: 0, failed: 0 }
  }
  const { code, output } = await run('hardhat/dist/src/cli.js', ['test', 'solidity'])
  return counted(lastNumber(output, 'passing'), lastNumber(output, 'failing'), code)
}

type VitestReport = {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[]
}

async function vitest(args: readonly string[]): Promise<Count> {
  const folder = mkdtempSync(path.join(tmpdir(), 'killswitch-test-'))
  try {
    const file = path.join(folder, 'vitest.json')
    const { code } = await run('vitest/vitest.mjs', [
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
      ...args,
    ])
    if (!existsSync(file)) return counted(0, 0, code)
    const report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport
    const unloaded = report.testResults.filter(
      (result) => result.status === 'failed' && result.assertionResults.length === 0,
    ).length
    return counted(report.numPassedTests, report.numFailedTests + unloaded, code)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const stages: readonly (readonly [name: string, run: () => Promise<Count>])[] = [
  ['Solidity tests', solidity],
  ['Vitest', () => vitest(process.argv.slice(2))],
]

let passed = 0
let failed = 0
for (const [name, stage] of stages) {
  console.log(`\n== ${name}`)
  const count = await stage()
  passed += count.passed
  failed += count.failed
}
if (failed > 0) process.exitCode = 1
console.log(`\n${passed} passed, ${failed} failed`)
