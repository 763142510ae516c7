import type { BrowserContext, Page } from 'playwright-core'
import { createWalletClient, type Hex, http, numberToHex, type PrivateKeyAccount } from 'viem'

/** What the wallet's user does with a request; a promise lets the request wait for it. */
export type Answer = 'approve' | 'reject'

/** A wallet extension's outside: EIP-6963, EIP-1193, and a user who answers. It really signs. */
export type InjectedWallet = {
  readonly name: string
  /** Every request that needed the user, in order. */
  readonly asked: readonly string[]
  /** How the user answers from now on; approves unless told otherwise. */
  onAsk(answer: (method: string) => Answer | Promise<Answer>): void
  /** Goes to another chain, as by the extension's own menu. */
  goToChain(chainId: number): Promise<void>
  /** Goes to another account, or with null locks itself, as by the extension's own menu. */
  goToAccount(account: PrivateKeyAccount | null): Promise<void>
  install(context: BrowserContext): Promise<void>
}

class WalletError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

type Request = { readonly method: string; readonly params?: readonly unknown[] }
type Answered =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string } }

/** In the page: a provider that hands requests to Node and gives back results, errors with their codes, and events. */
const provider = (wallet: { name: string; index: number }): void => {
  const listeners = new Map<string, Set<(value: unknown) => void>>()
  const ask = (window as unknown as Record<string, (request: unknown) => Promise<Answered>>)[
    `injectedWallet${wallet.index}`
  ] as (request: unknown) => Promise<Answered>
  const injected = {
    async request(request: unknown) {
      const answer = await ask(request)
      if ('error' in answer) throw Object.assign(new Error(answer.error.message), { code: answer.error.code })
      return answer.result
    },
    on(event: string, listener: (value: unknown) => void) {
      const set = listeners.get(event) ?? new Set()
      set.add(listener)
      listeners.set(event, set)
    },
    removeListener(event: string, listener: (value: unknown) => void) {
      listeners.get(event)?.delete(listener)
    },
  }
  Object.assign(window, {
    [`emitFromWallet${wallet.index}`]: (event: string, value: unknown) => {
      for (const listener of listeners.get(event) ?? []) listener(value)
    },
  })
  const info = {
    uuid: `00000000-0000-4000-8000-00000000000${wallet.index}`,
    name: wallet.name,
    icon: 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg"/>',
    rdns: `test.killswitch.wallet${wallet.index}`,
  }
  const announce = () =>
    window.dispatchEvent(
      new CustomEvent('eip6963:announceProvider', { detail: Object.freeze({ info, provider: injected }) }),
    )
  window.addEventListener('eip6963:requestProvider', announce)
  announce()
}

let wallets = 0

export function createInjectedWallet(options: {
  readonly name: string
  readonly account: PrivateKeyAccount
  readonly rpc: string
  readonly chainId: number
}): InjectedWallet {
  const { name, rpc } = options
  const index = wallets++ % 10
  const asked: string[] = []
  const pages = new Set<Page>()
  const known = new Set([options.chainId, 1])
  let account: PrivateKeyAccount | null = options.account
  let chainId = options.chainId
  let isConnected = false
  let answer: (method: string) => Answer | Promise<Answer> = () => 'approve'
  const node = http(rpc)({})

  const emit = async (event: string, value: unknown): Promise<void> => {
    for (const page of pages) {
      if (page.isClosed()) continue
      await page.evaluate(
        ([at, name, data]) =>
          (window as unknown as Record<string, (event: unknown, value: unknown) => void>)[
            `emitFromWallet${at}`
          ]?.(name, data),
        [index, event, value] as const,
      )
    }
  }
  const ask = async (method: string): Promise<void> => {
    asked.push(method)
    if ((await answer(method)) === 'reject') throw new WalletError(4001, 'User rejected the request.')
  }
  const goToChain = async (to: number): Promise<void> => {
    chainId = to
    await emit('chainChanged', numberToHex(to))
  }

  const accounts = (): readonly Hex[] => (isConnected && account !== null ? [account.address] : [])
  /** As real wallets do: nothing is signed for an account that the page was not given. */
  const signer = (address: unknown): PrivateKeyAccount => {
    if (account === null || !accounts().some((one) => one.toLowerCase() === String(address).toLowerCase()))
      throw new WalletError(4100, `The account ${address} has not been authorized.`)
    return account
  }

  const handle = async ({ method, params = [] }: Request): Promise<unknown> => {
    const [first, second] = params
    switch (method) {
      case 'eth_chainId':
        return numberToHex(chainId)
      case 'eth_accounts':
        return accounts()
      case 'eth_requestAccounts':
      case 'wallet_requestPermissions':
        await ask(method)
        isConnected = true
        return method === 'eth_requestAccounts'
          ? accounts()
          : [{ parentCapability: 'eth_accounts', caveats: [{ type: 'filter', value: accounts() }] }]
      case 'wallet_revokePermissions':
        isConnected = false
        return null
      case 'wallet_switchEthereumChain': {
        const to = Number((first as { chainId: Hex }).chainId)
        if (!known.has(to)) throw new WalletError(4902, `Unrecognized chain ID ${to}`)
        await ask(method)
        await goToChain(to)
        return null
      }
      case 'eth_signTypedData_v4': {
        const typed = JSON.parse(second as string)
        // As real wallets do: what is signed for another chain is refused unseen.
        if (Number(typed.domain.chainId) !== chainId)
          throw new WalletError(
            -32603,
            `Provided chainId "${typed.domain.chainId}" must match the active chainId`,
          )
        const by = signer(first)
        await ask(method)
        return by.signTypedData(typed)
      }
      case 'eth_sendTransaction': {
        const { from, to, data } = first as { from: Hex; to: Hex; data: Hex }
        const by = signer(from)
        await ask(method)
        return createWalletClient({ account: by, transport: http(rpc) }).sendTransaction({
          to,
          data,
          chain: null,
        })
      }
      default:
        return node.request({ method, params } as never)
    }
  }

  return {
    name,
    asked,
    onAsk(next) {
      answer = next
    },
    goToChain,
    async goToAccount(to) {
      account = to
      await emit('accountsChanged', accounts())
    },
    async install(context) {
      await context.exposeBinding(
        `injectedWallet${index}`,
        async ({ page }, request: Request): Promise<Answered> => {
          pages.add(page)
          try {
            return { result: await handle(request) }
          } catch (error) {
            const { code = -32603, message } = error as { code?: number; message: string }
            return { error: { code, message } }
          }
        },
      )
      await context.addInitScript(provider, { name, index })
    },
  }
}
