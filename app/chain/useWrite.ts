import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { type PlainError, plainError } from '../plainError.ts'
import { useServices } from '../services.ts'
import { useWallet } from '../wallet/useWallet.ts'
import type { WriteArgs, WriteName } from './contractWrites.ts'

/** A call of the contract, from the question to the wallet until it is in a block. */
export type Write<Name extends WriteName> = {
  readonly step: 'idle' | 'wallet' | 'landing' | 'landed' | 'failed'
  readonly error: PlainError | null
  run(args: WriteArgs<Name>): void
}

export function useWrite<const Name extends WriteName>(functionName: Name): Write<Name> {
  const { writes, chain, walletPort } = useServices()
  const wallet = useWallet()
  const [isSent, setSent] = useState(false)
  const { mutate, status, error } = useMutation({
    mutationFn: async (args: WriteArgs<Name>) => {
      if (wallet === null) throw new Error('no wallet is connected')
      setSent(false)
      await walletPort.goToChain()
      const txHash = await writes.send(wallet.account, functionName, args)
      setSent(true)
      await writes.landed(txHash)
      await chain.refresh()
    },
  })
  return {
    step:
      status === 'pending'
        ? isSent
          ? 'landing'
          : 'wallet'
        : status === 'success'
          ? 'landed'
          : status === 'error'
            ? 'failed'
            : 'idle',
    error: error === null ? null : plainError(error),
    run: (args) => mutate(args),
  }
}
