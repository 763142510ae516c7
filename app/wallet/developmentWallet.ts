import { type EIP1193Provider, http } from 'viem'
import type { AppConfig, DevelopmentKey } from '../config.ts'
import { developmentRdns } from './developmentRdns.ts'
import type { Transaction } from './developmentSigner.ts'

/** A square with the account's first letter. */
const icon = (name: string): string =>
  `data:image/svg+xml,${encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="4" fill="#4b545c"/><text x="16" y="22" font-family="sans-serif" font-size="17" text-anchor="middle" fill="#fff">${name.slice(0, 1).toUpperCase()}</text></svg>`,
  )}`

type Request = { readonly method: string; readonly params?: unknown }

/** An EIP-1193 provider that signs with a key of the configuration, unasked: for local chains only. */
function createProvider(config: AppConfig, { name, address, key }: DevelopmentKey): EIP1193Provider {
  const node = http(config.rpc)({})
  // The curve's arithmetic and what sends are loaded for the first signature: the page must not wait for them.
  const unlock = async () =>
    (await import('./developmentSigner.ts')).createDevelopmentSigner(key, node.request)
  // Like a wallet, it shows its account only to pages that were connected to it.
  const permission = `development wallet ${name}`
  const request = async ({ method, params }: Request): Promise<unknown> => {
    const [first, second] = (params ?? []) as [unknown, unknown]
    switch (method) {
      case 'eth_accounts':
        return localStorage.getItem(permission) === null ? [] : [address]
      case 'wallet_revokePermissions':
        localStorage.removeItem(permission)
        return null
      case 'eth_requestAccounts':
        localStorage.setItem(permission, 'given')
        return [address]
      case 'wallet_requestPermissions':
        localStorage.setItem(permission, 'given')
        return [{ parentCapability: 'eth_accounts', caveats: [{ type: 'filter', value: [address] }] }]
      case 'eth_signTypedData_v4':
        return (await unlock()).signTypedData(second as string)
      case 'eth_sendTransaction':
        return (await unlock()).sendTransaction(first as Transaction)
      default:
        return node.request({ method, params } as never)
    }
  }
  return { request, on: () => {}, removeListener: () => {} } as unknown as EIP1193Provider
}

/** Announces one wallet per key, as an extension would (EIP-6963). */
export function announceDevelopmentWallets(config: AppConfig): void {
  for (const one of config.developmentKeys) {
    const { name } = one
    const info = {
      uuid: crypto.randomUUID(),
      name,
      icon: icon(name),
      rdns: `${developmentRdns}.${name}`,
    }
    const detail = Object.freeze({ info, provider: createProvider(config, one) })
    const announce = () => window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }))
    window.addEventListener('eip6963:requestProvider', announce)
    announce()
  }
}
