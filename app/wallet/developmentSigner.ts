import { createWalletClient, custom, type EIP1193RequestFn, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

/** What a page asks a wallet to send. */
export type Transaction = { readonly to: Hex; readonly data?: Hex; readonly value?: Hex }

/** Signs and sends with a key of the configuration. @param request asks the chain's node */
export function createDevelopmentSigner(key: Hex, request: EIP1193RequestFn) {
  const account = privateKeyToAccount(key)
  return {
    /** @param json of the typed data (EIP-712) */
    signTypedData: (json: string): Promise<Hex> => account.signTypedData(JSON.parse(json)),
    sendTransaction: ({ to, data, value }: Transaction): Promise<Hex> =>
      createWalletClient({ account, transport: custom({ request }) }).sendTransaction({
        to,
        chain: null,
        ...(data === undefined ? {} : { data }),
        ...(value === undefined ? {} : { value: BigInt(value) }),
      }),
  }
}
