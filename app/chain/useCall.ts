import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { type ContractWords, contractWords, type PlainError, plainError } from '../plainError.ts'
import { useServices } from '../services.ts'
import { useWallet } from '../wallet/useWallet.ts'
import type { ContractCall } from './contractWrites.ts'
import { TransactionFailedError, TransactionReplacedError, WalletGoneError } from './writeErrors.ts'

/** Where a transaction stands, from the question to the wallet until it is in a block. */
export type WriteStep = 'idle' | 'wallet' | 'landing' | 'landed' | 'failed'

export type Call = {
  readonly step: WriteStep
  readonly error: PlainError | null
  readonly isBusy: boolean
  /** Whether the wallet has sent it: from then on it may land, whatever this page learns. */
  readonly isSent: boolean
  /** @param onSent also called when the page's part that asked is gone by then */
  run(call: ContractCall, onSent?: () => void): void
}

const sentTitle = 'It is sent, and not confirmed yet'
const sentNext =
  'The node says nothing of it now. It may land at any moment: look into your wallet before you send it again.'

/** Whether it is known what became of a transaction. */
const isVerdict = (error: unknown): boolean =>
  error instanceof TransactionFailedError || error instanceof TransactionReplacedError

/**
 * A call of any contract from the connected wallet.
 * @param onLanded reads anew what it changed
 * @param words for what the contract may refuse
 */
export function useCall(onLanded: () => Promise<void>, words: ContractWords = contractWords): Call {
  const { writes, walletPort } = useServices()
  const wallet = useWallet()
  const [isSent, setSent] = useState(false)
  const { mutate, status, error } = useMutation({
    mutationFn: async ({
      call,
      onSent,
    }: {
      readonly call: ContractCall
      readonly onSent?: (() => void) | undefined
    }) => {
      if (wallet === null) throw new WalletGoneError()
      setSent(false)
      await walletPort.goToChain()
      const txHash = await writes.call(wallet.account, call)
      setSent(true)
      onSent?.()
      await writes.landed(txHash)
      await onLanded()
    },
  })
  const steps = {
    pending: isSent ? 'landing' : 'wallet',
    success: 'landed',
    error: 'failed',
    idle: 'idle',
  } as const
  return {
    step: steps[status],
    error:
      error === null
        ? null
        : isSent && !isVerdict(error)
          ? { ...plainError(error, words), title: sentTitle, next: sentNext }
          : plainError(error, words),
    isBusy: status === 'pending',
    isSent,
    run: (call, onSent) => mutate({ call, onSent }),
  }
}
