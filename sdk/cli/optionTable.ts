import type { OptionSpec } from './options.ts'

/** Every option of the program; each command names those that it takes. */
export const optionTable: readonly OptionSpec[] = [
  {
    name: 'rpc',
    value: 'url',
    help: 'JSON-RPC of the chain',
    env: 'KILLSWITCH_RPC',
    config: 'rpc',
  },
  {
    name: 'relayer',
    value: 'url',
    help: 'public address of a relayer',
    env: 'KILLSWITCH_RELAYER',
    config: 'relayer',
  },
  {
    name: 'contract',
    value: 'address',
    help: 'the KillSwitch contract',
    env: 'KILLSWITCH_CONTRACT',
    config: 'contract',
  },
  {
    name: 'chain-id',
    value: 'number',
    help: 'chain id; asked from the RPC when left out',
    env: 'KILLSWITCH_CHAIN_ID',
    config: 'chainId',
  },
  {
    name: 'from-block',
    value: 'number',
    help: 'block of the deployment, where reading logs begins (default 0)',
    env: 'KILLSWITCH_FROM_BLOCK',
    config: 'fromBlock',
  },
  {
    name: 'key-file',
    value: 'file',
    help: 'private key in hex; only its owner may read the file (mode 0600)',
    env: 'KILLSWITCH_KEY_FILE',
    config: 'keyFile',
  },
  {
    name: 'keystore',
    value: 'file',
    help: 'encrypted key (Web3 Secret Storage 3); password from KILLSWITCH_KEYSTORE_PASSWORD, --password-file or a prompt',
    env: 'KILLSWITCH_KEYSTORE',
    config: 'keystore',
  },
  {
    name: 'password-file',
    value: 'file',
    help: "file with the keystore's password (mode 0600)",
    env: 'KILLSWITCH_PASSWORD_FILE',
    config: 'passwordFile',
  },
  {
    name: 'as',
    value: 'name',
    help: 'one of keyFiles in the configuration; by default the one that owns the agent',
    env: 'KILLSWITCH_AS',
    config: 'as',
  },
  {
    name: 'by',
    value: 'transaction|signature',
    help: 'how to kill: by default signature (no gas) when a relayer is known',
    env: 'KILLSWITCH_BY',
    config: 'by',
  },
  { name: 'all', help: "all agents of a wallet, present and future: the key's, or that of --wallet" },
  { name: 'wallet', value: 'address', help: 'whose agents or guardians, when not those of the key' },
  {
    name: 'reason',
    value: 'reason',
    help: 'compromised, misbehaving, policy-violation, retired, drill, or a code from 0 to 65279',
  },
  { name: 'text', value: 'text', help: 'why, in at most 256 bytes; public' },
  {
    name: 'wait',
    value: 'seconds',
    help: 'how long to watch for confirmations (default 30)',
    env: 'KILLSWITCH_WAIT',
    config: 'wait',
  },
  { name: 'request', help: 'ask for the resume; it can be executed after the cool-down' },
  { name: 'type', value: 'type', help: 'type of the agents: [a-z0-9-]{1,32}, not a reserved one' },
  { name: 'count', value: 'number', help: 'how many agents (default 1, at most 1000)' },
  {
    name: 'public-key',
    value: 'hex',
    help: 'register this Ed25519 key (32 bytes) instead of making one; may be repeated',
    multiple: true,
  },
  { name: 'out', value: 'path', help: 'where to write' },
  { name: 'valid-for', value: 'seconds', help: 'life of the order (default and most: 86400)' },
  { name: 'yes', short: 'y', help: 'do not ask' },
  { name: 'json', help: 'print one JSON object and nothing else on standard output' },
  {
    name: 'config',
    value: 'file',
    help: 'JSON file of these options in camelCase; default: .killswitch/local.json, which a local npm start writes',
    env: 'KILLSWITCH_CONFIG',
  },
  { name: 'help', short: 'h', help: 'show this' },
  { name: 'version', help: 'show the version' },
]

const chainOptions = ['rpc', 'contract', 'chain-id', 'from-block'] as const
const keyOptions = ['key-file', 'keystore', 'password-file', 'as'] as const
const commonOptions = ['json', 'config', 'help'] as const

/** The options of a command: its own first. */
export const optionsOf = (
  own: readonly string[],
  uses: { readonly chain?: boolean; readonly relayer?: boolean; readonly key?: boolean },
): readonly string[] => [
  ...own,
  ...(uses.chain === true ? chainOptions : []),
  ...(uses.relayer === true ? ['relayer'] : []),
  ...(uses.key === true ? keyOptions : []),
  ...commonOptions,
]
