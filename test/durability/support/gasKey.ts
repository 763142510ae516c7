import type { Hex } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { bytesToHex } from 'viem/utils'

/** Private key of one of anvil's funded accounts, for a gas key file. */
export function gasKeyOf(addressIndex: number): Hex {
  const mnemonic = 'test test test test test test test test test test test junk'
  const { privateKey } = mnemonicToAccount(mnemonic, { addressIndex }).getHdKey()
  if (privateKey === null) throw new Error(`account ${addressIndex} has no private key`)
  return bytesToHex(privateKey)
}
