// Makes a checkout ready to run: tools installed under Node 24, contracts compiled, typed ABIs written.
//
// Plain JavaScript without dependencies, because it runs before anything is installed and under any Node >= 18.
// Invariants:
// 1. Both stamps equal → nothing is started (a few file reads).
// 2. A stamp is written only after everything it vouches for has succeeded, and removed before it is redone.
// 3. A failure is one line that says what happened and what changes it; KILLSWITCH_VERBOSE=1 shows the tools' own output.
//
//   node scripts/bootstrap.mjs               install and compile what is out of date
//   node scripts/bootstrap.mjs --no-compile  install only
//   node scripts/bootstrap.mjs --compile     compile even if nothing changed
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** Raise it when this script installs or compiles differently, so that every checkout does it once more. */
const VERSION = 1

/** Below this Hardhat's native part is left out by npm without an error (its `engines`). */
const OLDEST_NODE_FOR_INSTALL = [22, 13]

/** Packages whose real work is done by an optional package named after the platform. */
const NATIVE_PACKAGES = ['@nomicfoundation/edr', '@biomejs/biome']

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const modules = path.join(root, 'node_modules')
const installStamp = path.join(modules, '.killswitch-install')
const generated = path.join(root, 'protocol', 'generated')
const compileStamp = path.join(generated, '.killswitch-compile')
const bundledNode = path.join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
const hardhatCli = path.join(modules, 'hardhat', 'dist', 'src', 'cli.js')
const verbose = process.env.KILLSWITCH_VERBOSE === '1'

/** A failure whose message is complete for the user; anything else thrown here is a bug or a file-system error. */
class BootstrapError extends Error {}

// --- children -----------------------------------------------------------------------------------------------------

const children = new Set()
let stopping = false

/** Each child leads its own process group (not on Windows), so that stopping it also stops what it started. */
function stop(child, signal) {
  try {
    if (process.platform === 'win32') spawnSync('taskkill', ['/pid', String(child.pid), '/T', '/F'])
    else process.kill(-child.pid, signal)
  } catch {
    // It has ended already.
  }
}

for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
]) {
  process.on(signal, () => {
    if (stopping) return
    stopping = true
    for (const child of children) stop(child, 'SIGTERM')
    const deadline = Date.now() + 3000
    setInterval(() => {
      if (children.size > 0 && Date.now() < deadline) return
      for (const child of children) stop(child, 'SIGKILL')
      console.error('bootstrap: stopped; the next run starts this step again.')
      process.exit(128 + number)
    }, 20)
  })
}

/** Runs a command to its end and returns its exit code and everything it printed. */
function run(command, args, env, shell = false) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env,
      shell,
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    })
    children.add(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
        if (verbose) process.stderr.write(text)
      })
    }
    child.on('error', (error) => {
      children.delete(child)
      if (stopping) return
      reject(new BootstrapError(`cannot start ${command}: ${error.message}. Is it on PATH?`))
    })
    child.on('close', (code) => {
      children.delete(child)
      // When stopping, nobody is told: the next step must not start and nothing has failed.
      if (!stopping) resolve({ code: code ?? 1, output })
    })
  })
}

// --- npm ----------------------------------------------------------------------------------------------------------

/** `PATH` is spelt `Path` on Windows; a second spelling would leave it to chance which one counts. */
function withPath(env, folder) {
  const key = Object.keys(env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH'
  return { ...env, [key]: `${folder}${path.delimiter}${env[key] ?? ''}` }
}

function npmEnv() {
  const env = { ...process.env, npm_config_progress: 'false', npm_config_update_notifier: 'false' }
  // `npm --silent test` reaches us as loglevel=silent, which would also hide the reason of a failure.
  env.npm_config_loglevel = verbose ? 'notice' : 'warn'
  // npm's default waits add up to more than a minute before it reports a missing network.
  env.npm_config_fetch_retry_mintimeout ??= '1000'
  env.npm_config_fetch_retry_maxtimeout ??= '5000'
  return env
}

/** npm's own JavaScript when npm started us: no shell, no `npm.cmd`, and the Node to run it under can be chosen. */
function runNpm(args, env, node = process.execPath) {
  const cli = process.env.npm_execpath
  if (cli && path.basename(cli) === 'npm-cli.js') return run(node, [cli, ...args], env)
  const quoted = args.map((arg) => (/[^\w@/=.-]/.test(arg) ? `"${arg}"` : arg)).join(' ')
  return run(`npm ${quoted}`, [], env, true)
}

/** What npm's error output means for the person in front of it. The last code counts: npm retries before it gives up. */
function explainNpm(output) {
  const lines = output.split(/\r?\n/).filter((line) => /^npm (error|ERR!)/i.test(line))
  const text = lines.join('\n') || output
  const code =
    [...text.matchAll(/\bcode (E[A-Z0-9_]+)/g)].pop()?.[1] ?? text.match(/\bE[A-Z]{4,}\b/)?.[0] ?? ''
  const target = text.match(/(?:request to|attempt to fetch|GET|connect to) (https?:\/\/[^\s'"]+)/)?.[1]
  const registry = target ?? process.env.npm_config_registry ?? 'the configured registry'
  const where =
    text.match(/^npm (?:error|ERR!) path (.+)$/im)?.[1] ?? text.match(/'(\/[^']+|[A-Z]:\\[^']+)'/)?.[1]
  // A full disk shows up among the warnings (while unpacking); the errors are whatever broke because of it.
  if (/ENOSPC/.test(output)) {
    return `the disk is full${where ? ` (${where})` : ''}. Free space, or put npm's cache elsewhere with npm_config_cache.`
  }
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|EIDLETIMEOUT/.test(
      text,
    )
  ) {
    return `npm cannot reach ${registry} (${code}). Check the network, or set npm_config_registry (a mirror), npm_config_proxy (a proxy) or, with a filled npm cache, npm_config_offline=true.`
  }
  if (/ENOTCACHED/.test(text)) {
    return `npm is set to offline and its cache lacks ${registry}. Unset npm_config_offline once, with a network.`
  }
  if (/EACCES|EPERM|EROFS/.test(text)) {
    return `npm may not write ${where ?? 'here'} (${code}). Make it writable; npm_config_cache=<folder> moves npm's cache.`
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(text)) {
    return `npm does not trust the certificate of ${registry} (${code}). Set npm_config_cafile to your proxy's CA.`
  }
  if (/\bE40[134]\b|ETARGET/.test(text)) {
    const detail = lines.find(
      (line) => /E40|not found|No matching version/i.test(line) && !/ code /.test(line),
    )
    return `the registry does not serve a package this project needs: ${(detail ?? text).replace(/^npm (error|ERR!)( \w+)? ?/i, '')} Set npm_config_registry to another one.`
  }
  const said = lines
    .map((line) => line.replace(/^npm (error|ERR!) ?/i, '').trim())
    .filter((line) => line !== '' && !/^(code|path|command|errno|syscall|A complete log)\b/.test(line))
  const reason = said.find((line) => /Error:/.test(line)) ?? said[0] ?? output.trim().split('\n').pop() ?? ''
  return `npm failed: ${reason || 'it said nothing'}. KILLSWITCH_VERBOSE=1 shows its whole output.`
}

// --- install ------------------------------------------------------------------------------------------------------

function installHash() {
  const hash = createHash('sha256').update(`${VERSION} ${process.platform} ${process.arch}\n`)
  for (const name of ['package.json', 'package-lock.json']) {
    const file = path.join(root, name)
    hash.update(`${name}\n`).update(existsSync(file) ? readFileSync(file) : '')
  }
  return hash.digest('hex')
}

/** The native package of `name` for this platform, e.g. edr-linux-x64-gnu: any libc will do, npm chose it. */
function hasNativePart(name) {
  const [scope, base] = name.split('/')
  const stem = base === 'biome' ? 'cli' : base
  const folder = path.join(modules, scope)
  return (
    existsSync(folder) &&
    readdirSync(folder).some((entry) => entry.startsWith(`${stem}-${process.platform}-${process.arch}`))
  )
}

function missingNativeParts() {
  return NATIVE_PACKAGES.filter((name) => !hasNativePart(name))
}

function readStamp(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

async function install() {
  if (
    readStamp(installStamp) === installHash() &&
    existsSync(bundledNode) &&
    missingNativeParts().length === 0
  )
    return
  mkdirSync(modules, { recursive: true })
  rmSync(installStamp, { force: true })
  console.error('bootstrap: installing the tools (about half a minute) ...')

  const [major, minor] = process.versions.node.split('.').map(Number)
  const [needMajor, needMinor] = OLDEST_NODE_FOR_INSTALL
  const old = major < needMajor || (major === needMajor && minor < needMinor)
  const flags = ['install', '--include=dev', '--no-audit', '--no-fund']
  const first = old
    ? await runNpm(['exec', '--yes', '--package=node@24', '-c', `npm ${flags.join(' ')}`], npmEnv())
    : await runNpm(flags, npmEnv())
  if (first.code !== 0) throw new BootstrapError(explainNpm(first.output))
  if (!existsSync(bundledNode)) {
    throw new BootstrapError(
      "npm installed no Node 24: its 'node' package needs its install script (unset npm_config_ignore_scripts) and a platform it is built for.",
    )
  }

  // A former install under an old Node leaves the native parts out, and npm takes that for the wished state. Hence a
  // second pass under the Node just installed, and a third that asks for them by name.
  const env = withPath(npmEnv(), path.dirname(bundledNode))
  const again = ['install', '--include=dev', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund']
  if (missingNativeParts().length > 0) await runNpm(again, env, bundledNode)
  const wanted = missingNativeParts().flatMap(nativePartsByName)
  if (wanted.length > 0) {
    const last = await runNpm([...again, ...wanted], env, bundledNode)
    if (last.code !== 0) throw new BootstrapError(explainNpm(last.output))
  }
  const missing = missingNativeParts()
  if (missing.length > 0) {
    throw new BootstrapError(
      `${missing.join(' and ')} came without a native part for ${process.platform}-${process.arch}. Set npm_config_registry to a registry that serves it, or use a platform it is built for.`,
    )
  }
  // npm may have completed the lock, so the hash is taken now and not before.
  writeFileSync(installStamp, installHash())
}

function nativePartsByName(name) {
  const manifest = path.join(modules, name, 'package.json')
  if (!existsSync(manifest)) return []
  const stem = `-${process.platform}-${process.arch}`
  return Object.entries(JSON.parse(readFileSync(manifest, 'utf8')).optionalDependencies ?? {})
    .filter(([part]) => part.endsWith(stem) || part.includes(`${stem}-`))
    .map(([part, version]) => `${part}@${version}`)
}

// --- compile ------------------------------------------------------------------------------------------------------

function solidityFiles(folder) {
  if (!existsSync(folder)) return []
  const found = []
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) found.push(...solidityFiles(file))
    else if (entry.name.endsWith('.sol')) found.push(file)
  }
  return found.sort()
}

function compileHash(sources) {
  const hash = createHash('sha256').update(`${VERSION}\n`)
  const others = ['package-lock.json', 'hardhat.config.ts', path.join('scripts', 'generateAbis.ts')]
  for (const file of [...sources, ...others.map((name) => path.join(root, name))]) {
    if (!existsSync(file)) continue
    const content = readFileSync(file)
    hash.update(`${path.relative(root, file)} ${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}

async function compile(force) {
  const sources = solidityFiles(path.join(root, 'contracts'))
  if (sources.length === 0) return
  // Taken before compiling: a source that changes meanwhile is then compiled again by the next run.
  const hash = compileHash(sources)
  if (!force && readStamp(compileStamp) === hash && existsSync(path.join(root, 'artifacts'))) return
  mkdirSync(generated, { recursive: true })
  rmSync(compileStamp, { force: true })
  console.error('bootstrap: compiling the contracts ...')

  const env = withPath({ ...process.env, HARDHAT_DISABLE_TELEMETRY: 'true' }, path.dirname(bundledNode))
  const build = await run(bundledNode, [hardhatCli, 'build', '--no-tests', '--quiet'], env)
  if (build.code !== 0) {
    if (!verbose) process.stderr.write(build.output)
    const reason = /ENOSPC/.test(build.output)
      ? 'the disk is full'
      : /EACCES|EPERM|EROFS/.test(build.output)
        ? 'artifacts/ or cache/ cannot be written'
        : 'the compiler refused the contracts (its output is above)'
    throw new BootstrapError(`${reason}. Correct it and run again, or npm run compile.`)
  }
  const abis = await run(bundledNode, [path.join(root, 'scripts', 'generateAbis.ts')], env)
  if (abis.code !== 0) throw new BootstrapError(abis.output.trim())
  writeFileSync(compileStamp, hash)
}

// --- main ---------------------------------------------------------------------------------------------------------

/** File-system errors of our own reads and writes; everything else is a bug and keeps its stack trace. */
function explain(error) {
  if (error instanceof BootstrapError) return error.message
  if (error?.code === 'ENOSPC') return `the disk is full (${error.path ?? root}). Free space and run again.`
  if (['EACCES', 'EPERM', 'EROFS'].includes(error?.code)) {
    return `no permission to write ${error.path ?? root} (${error.code}). Make this folder writable, or clone into one that is.`
  }
  return undefined
}

try {
  if (Number(process.versions.node.split('.')[0]) < 18) {
    throw new BootstrapError(
      `Node ${process.versions.node} is too old to set this up; Node 18 or later is needed.`,
    )
  }
  await install()
  if (!process.argv.includes('--no-compile')) await compile(process.argv.includes('--compile'))
} catch (error) {
  const message = explain(error)
  if (message === undefined) throw error
  console.error(`bootstrap: ${message}`)
  process.exitCode = 1
}
