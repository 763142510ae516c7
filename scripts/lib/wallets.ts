import { readFileSync } from 'node:fs'
import { toHex } from 'viem'
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import type { DataFolder } from './dataFolder.ts'
import type { LocalChain } from './localChain.ts'

/**
 * `governance` deploys the contracts, `gas` pays for what the relayer lands; alice and bob own agents, carol holds tokens that
 * she has not delegated.
 */
export const walletNames = ['governance', 'gas', 'alice', 'bob', 'carol'] as const
export type WalletName = (typeof walletNames)[number]

export type Wallets = {
  readonly accounts: Readonly<Record<WalletName, PrivateKeyAccount>>
  /** Files with the private keys, readable by their owner only. */
  readonly keyFiles: Readonly<Record<WalletName, string>>
}

/** Makes new keys, never well-known ones, and gives each 1,000 ether of the local chain. */
export async function makeWallets(chain: LocalChain, data: DataFolder): Promise<Wallets> {
  const made = await Promise.all(
    walletNames.map(async (name) => {
      const key = generatePrivateKey()
      const account = privateKeyToAccount(key)
      await chain.request('hardhat_setBalance', [account.address, toHex(1_000n * 10n ** 18n)])
      return { name, account, file: data.writeSecret(`keys/${name}.key`, `${key}\n`) }
    }),
  )
  return {
    accounts: Object.fromEntries(made.map(({ name, account }) => [name, account])) as Wallets['accounts'],
    keyFiles: Object.fromEntries(made.map(({ name, file }) => [name, file])) as Wallets['keyFiles'],
  }
}

/** A private key from its file. */
export const readKey = (file: string): string => readFileSync(file, 'utf8').trim()
