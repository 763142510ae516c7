import { cpSync } from 'node:fs'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import { buildLocalApp } from './buildApp.ts'
import type { DataFolder } from './dataFolder.ts'
import type { LocalChain } from './localChain.ts'
import { readKey, type Wallets } from './wallets.ts'

/** Builds the dApp for a local chain and writes its configuration beside it. @returns the folder to serve */
export async function prepareApp(options: {
  readonly data: DataFolder
  readonly chain: LocalChain
  readonly wallets: Wallets
  /** All that token holders govern; without it the dApp says that they govern nothing. */
  readonly contracts?: GovernedContracts
  readonly progress: (text: string) => void
}): Promise<string> {
  const { data, chain, wallets, contracts, progress } = options
  progress('building the dApp')
  const folder = data.file('app')
  cpSync(await buildLocalApp(), folder, { recursive: true })
  const accounts = ['alice', 'bob', ...(contracts === undefined ? [] : (['carol'] as const))] as const
  data.writeSecret(
    'app/config.json',
    JSON.stringify({
      chainName: 'Local chain',
      rpc: chain.rpc,
      ...(contracts === undefined ? {} : { governance: contracts }),
      developmentKeys: accounts.map((name) => ({
        name,
        address: wallets.accounts[name].address,
        key: readKey(wallets.keyFiles[name]),
      })),
    }),
  )
  return folder
}
