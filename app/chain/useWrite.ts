import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import type { PlainError } from '../plainError.ts'
import { useServices } from '../services.ts'
import type { WriteArgs, WriteName } from './contractWrites.ts'
import { useCall, type WriteStep } from './useCall.ts'

/** A call of the KillSwitch, from the question to the wallet until it is in a block. */
export type Write<Name extends WriteName> = {
  readonly step: WriteStep
  readonly error: PlainError | null
  readonly isSent: boolean
  /** @param onSent also called when the page's part that asked is gone by then */
  run(args: WriteArgs<Name>, onSent?: () => void): void
}

export function useWrite<const Name extends WriteName>(functionName: Name): Write<Name> {
  const { chain, config } = useServices()
  const { step, error, isSent, run } = useCall(chain.refresh)
  return {
    step,
    error,
    isSent,
    run: (args, onSent) =>
      run(
        {
          address: config.deployment.contract,
          abi: killSwitchAbi,
          functionName,
          args: args as readonly unknown[],
        },
        onSent,
      ),
  }
}
