import type { WriteStep } from '../chain/useCall.ts'
import { Live, Muted } from '../design/components/Layout.tsx'
import { ErrorNotice } from '../design/components/Notice.tsx'
import type { PlainError } from '../plainError.ts'

/** Where a transaction stands, and what went wrong. @param done said once it has landed */
export function WriteStatus({
  write,
  done,
}: {
  readonly write: { readonly step: WriteStep; readonly error: PlainError | null }
  readonly done: string
}) {
  return (
    <Live>
      {write.step === 'wallet' ? <Muted>Confirm the transaction in your wallet. It costs gas.</Muted> : null}
      {write.step === 'landing' ? <Muted>Sent. Waiting for a block …</Muted> : null}
      {write.step === 'landed' ? <Muted>{done}</Muted> : null}
      {write.error === null ? null : <ErrorNotice error={write.error} />}
    </Live>
  )
}
