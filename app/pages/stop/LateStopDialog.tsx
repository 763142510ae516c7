import { loadSending } from '../../chain/contractWrites.ts'
import { Dialog } from '../../design/components/Dialog.tsx'
import { Loading } from '../../design/components/Empty.tsx'
import type { StopSubject } from '../../frame/stopContext.ts'
import { late } from '../../late.ts'
import { useLate } from '../../useLate.ts'

/** Everything that a stop needs, by signature or by transaction: called right after the first paint, kept from then on. */
export const loadStop = late(async () => {
  const [{ StopDialog }] = await Promise.all([import('./StopDialog.tsx'), loadSending()])
  return StopDialog
})

/** The emergency stop; who presses before its code is there sees it open and waits here. */
export function LateStopDialog(props: {
  readonly subject: StopSubject | null
  readonly progress: number | null
  readonly onClose: () => void
}) {
  const StopDialog = useLate(loadStop)
  return StopDialog === null ? (
    <Dialog title="Emergency stop" emergency onClose={props.onClose}>
      <Loading what="Loading the emergency stop …" />
    </Dialog>
  ) : (
    <StopDialog {...props} />
  )
}
