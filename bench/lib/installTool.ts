import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { SetupError } from '../../scripts/lib/setupError.ts'

/**
 * Installs a tool beside the project, into `bench/<name>` by its own lock, if it is not there yet.
 * @returns its folder @throws {SetupError}
 */
export async function installTool(name: string, say: (text: string) => void): Promise<string> {
  const home = path.resolve(import.meta.dirname, '..', name)
  const read = (file: string) => JSON.parse(readFileSync(path.join(home, file), 'utf8'))
  const { dependencies } = read('package.json') as { dependencies: Record<string, string> }
  const installed = `node_modules/${name}/package.json`
  if (
    existsSync(path.join(home, installed)) &&
    (read(installed) as { version: string }).version === dependencies[name]
  )
    return home
  say(`installing ${name} ${dependencies[name]} into bench/${name}`)
  // npm's own JavaScript when npm started us, under this Node: such tools refuse old ones.
  const npm = process.env.npm_execpath
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error']
  const options = { cwd: home, stdio: ['ignore', 2, 'pipe'] as ['ignore', number, 'pipe'] }
  const child =
    npm !== undefined && path.basename(npm) === 'npm-cli.js'
      ? spawn(process.execPath, [npm, ...args], options)
      : spawn('npm', args, { ...options, shell: process.platform === 'win32' })
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new SetupError(`npm could not install ${name}: ${errors.trim().split('\n').pop()}`)
  return home
}
