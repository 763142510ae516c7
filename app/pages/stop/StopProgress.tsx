import { reasonName } from '../../../protocol/reason.ts'
import type { StopRun } from '../../data/stopper.ts'
import { Button } from '../../design/components/Button.tsx'
import { CopyText } from '../../design/components/CopyText.tsx'
import { Fact, Facts } from '../../design/components/Facts.tsx'
import { Row, Stack } from '../../design/components/Layout.tsx'
import { ErrorNotice, Notice } from '../../design/components/Notice.tsx'
import { type Stage, Stages } from '../../design/components/Stages.tsx'
import { count, duration, shortHex } from '../../format.ts'
import { useServices } from '../../services.ts'
import { killStages } from './killStages.ts'
import { stopSummary } from './stopSummary.ts'

/** A stop from the gesture on, until every enforcement point has confirmed it and beyond. */
export function StopProgress({ run, onClose }: { readonly run: StopRun; readonly onClose: () => void }) {
  const { stopper } = useServices()
  const { title, detail, tone, isDone } = stopSummary(run)
  const { kill, failure } = run
  const isSigned = run.signedAfter !== null
  const txHash = run.txHash ?? kill?.timeline.txHash ?? null
  return (
    <Stack>
      {failure === null ? (
        <Notice title={title} tone={tone}>
          {detail}
        </Notice>
      ) : (
        <ErrorNotice
          error={failure}
          actions={
            <>
              {run.way === 'signature' && isSigned ? (
                <Button kind="strong" onPress={stopper.sendAgain}>
                  Send the order again
                </Button>
              ) : (
                <Button kind="strong" onPress={() => stopper.start(run)}>
                  Try again
                </Button>
              )}
              {['relayer down', 'relayer refused', 'not durable'].includes(failure.kind) ? (
                <Button onPress={() => stopper.start({ ...run, way: 'transaction' })}>
                  Send a transaction instead
                </Button>
              ) : null}
              {failure.kind === 'no gas' || failure.kind === 'rpc down' ? (
                <Button onPress={() => stopper.start({ ...run, way: 'signature' })}>
                  Sign instead, without gas
                </Button>
              ) : null}
              <Button kind="quiet" onPress={stopper.dismiss}>
                Change it
              </Button>
            </>
          }
        />
      )}
      {failure === null ? (
        <Stages
          stages={kill === null ? [...ownStages(run)] : [...killStages(kill)]}
          stoppedAt={kill?.elapsed.allConfirmed ?? null}
        />
      ) : null}
      {kill === null || kill.elapsed.published === null || kill.elapsed.durable !== null ? null : (
        <Notice
          title="Enforced, but not durable"
          actions={
            <Button onPress={() => stopper.start({ ...run, way: 'transaction' })}>
              Send a transaction too
            </Button>
          }
        >
          The relayer cannot write to its disk now. A transaction outlasts whatever happens to it.
        </Notice>
      )}
      {kill?.timeline.sendError == null ? null : (
        <Notice title="Not on chain yet">
          It is enforced all the same. The relayer says: {kill.timeline.sendError}
        </Notice>
      )}
      <Facts>
        <Fact name="Stops">
          {run.label}, {count(run.agents, 'agent')} running at the time
        </Fact>
        <Fact name="By">
          {run.way === 'signature' ? 'a signature, without gas,' : 'a transaction'} of {shortHex(run.account)}
        </Fact>
        <Fact name="Reason">
          {run.text === '' ? reasonName(run.reason) : `${reasonName(run.reason)}: ${run.text}`}
        </Fact>
        {run.digest === null ? null : (
          <Fact name="Order">
            <CopyText text={run.digest} what="digest of the order" />
          </Fact>
        )}
        {txHash === null ? null : (
          <Fact name="Transaction">
            <CopyText text={txHash} what="transaction hash" />
          </Fact>
        )}
        {run.confirmedAfter === null ? null : (
          <Fact name="From your hold">
            {duration(run.confirmedAfter)} until all confirmed, {duration(run.signedAfter ?? 0)} of it in your
            wallet
          </Fact>
        )}
      </Facts>
      {isDone ? (
        <Row>
          <Button
            kind="strong"
            onPress={() => {
              stopper.dismiss()
              onClose()
            }}
          >
            Done
          </Button>
        </Row>
      ) : failure === null ? (
        <Row>
          <Button kind="quiet" onPress={stopper.dismiss}>
            Stop something else
          </Button>
        </Row>
      ) : null}
    </Stack>
  )
}

/** What this page knows before the relayer tells of the kill. */
function ownStages(run: StopRun): readonly Stage[] {
  const isSigned = run.signedAfter !== null
  return [
    {
      name: run.way === 'signature' ? 'Signed in your wallet' : 'Sent by your wallet',
      state: isSigned ? 'done' : 'running',
      after: run.signedAfter,
    },
    { name: 'Seen by the relayer', state: isSigned ? 'running' : 'waiting', after: run.takenAfter },
    { name: 'Confirmed', state: 'waiting', after: null },
  ]
}
