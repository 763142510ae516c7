import path from 'node:path'
import type { Hex } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { decryptKeystore, KeystoreError } from './keystore.ts'
import { OptionError, type Setting } from './options.ts'
import { readSecretFile } from './secretFile.ts'
import type { Settings } from './settings.ts'
import type { Surroundings } from './surroundings.ts'

const looksLikeKey = (text: string): boolean => /^(0x)?[0-9a-fA-F]{64}$/.test(text)

function toAccount(key: string, file: string, source: string): PrivateKeyAccount {
  const digits = key.trim().replace(/^0x/, '')
  // Errors never repeat what the file holds.
  if (!looksLikeKey(digits))
    throw new OptionError(source, `names ${file}, which is no private key (64 hex digits)`)
  try {
    return privateKeyToAccount(`0x${digits}`)
  } catch {
    throw new OptionError(source, `names ${file}, whose number is no private key of secp256k1`)
  }
}

/** @throws {OptionError} */
export const readKeyFile = (file: string, source: string): PrivateKeyAccount =>
  toAccount(readSecretFile(file, source), file, source)

async function password(settings: Settings, surroundings: Surroundings, file: string): Promise<string> {
  const { value } =
    surroundings.env.KILLSWITCH_KEYSTORE_PASSWORD === undefined
      ? { value: undefined }
      : { value: surroundings.env.KILLSWITCH_KEYSTORE_PASSWORD }
  const passwordFile = settings.get('password-file')
  // A flag wins over the environment; the newline that an editor leaves is none of the password.
  if (passwordFile !== undefined && (passwordFile.source.startsWith('--') || value === undefined)) {
    const name = path.resolve(surroundings.cwd, passwordFile.value)
    return readSecretFile(name, passwordFile.source).replace(/\r?\n$/, '')
  }
  if (value !== undefined) return value
  if (surroundings.isTerminal) return surroundings.ask(`Password of ${file}: `, true)
  throw new OptionError(
    '--keystore',
    'needs its password: KILLSWITCH_KEYSTORE_PASSWORD, --password-file or a terminal',
  )
}

async function openKeystore(
  { value, source }: Setting,
  settings: Settings,
  surroundings: Surroundings,
): Promise<PrivateKeyAccount> {
  const file = path.resolve(surroundings.cwd, value)
  const text = readSecretFile(file, source, false)
  try {
    const key = decryptKeystore(text, await password(settings, surroundings, file))
    return toAccount(key, file, source)
  } catch (error) {
    if (error instanceof KeystoreError)
      throw new OptionError(
        source,
        `names ${file}, which ${error.wrongPassword ? '' : 'is no keystore: it '}${error.message}`,
        error,
      )
    throw error
  }
}

/**
 * The account that signs: `--key-file`, `--keystore` or `--as`, else the only key of the configuration, else the one
 * among its keys that is `preferred` (say, the agent's owner).
 * @throws {OptionError} when there is none, or several to choose from
 */
export async function loadAccount(
  settings: Settings,
  surroundings: Surroundings,
  preferred?: Hex,
): Promise<PrivateKeyAccount> {
  const chosen = settings.together('key-file', 'keystore', 'as')
  const [first, second] = [...chosen.entries()]
  if (first !== undefined && second !== undefined)
    throw new OptionError(second[1].source, `contradicts ${first[1].source}; name one key`)
  const names = Object.keys(settings.keyFiles)
  if (first !== undefined) {
    const [option, setting] = first
    if (looksLikeKey(setting.value)) {
      // Not repeated: logs would keep it too.
      throw new OptionError(
        setting.source,
        'is a key itself where the name of a file belongs; the shell and the process list have seen it: replace that key',
      )
    }
    if (option === 'keystore') return openKeystore(setting, settings, surroundings)
    if (option === 'key-file')
      return readKeyFile(path.resolve(surroundings.cwd, setting.value), setting.source)
    const file = settings.keyFiles[setting.value]
    if (file === undefined || !names.includes(setting.value)) {
      const known = names.length === 0 ? 'the configuration names no keys' : `known: ${names.join(', ')}`
      throw new OptionError(setting.source, `${setting.value} is no key of the configuration; ${known}`)
    }
    return readKeyFile(file, `keyFiles.${setting.value}`)
  }
  if (names.length === 0) throw new OptionError('--key-file', 'or --keystore is needed: a key must sign this')
  const accounts = names.map((name) => readKeyFile(settings.keyFiles[name] as string, `keyFiles.${name}`))
  if (accounts.length === 1) return accounts[0] as PrivateKeyAccount
  const match = accounts.find((account) => account.address.toLowerCase() === preferred?.toLowerCase())
  if (match !== undefined) return match
  throw new OptionError('--as', `is needed: the configuration has the keys ${names.join(', ')}`)
}
