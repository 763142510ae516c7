import { settleArguments } from '../../../protocol/governance/proposal.ts'
import { useCall } from '../../chain/useCall.ts'
import { Button } from '../../design/components/Button.tsx'
import { HoldButton } from '../../design/components/HoldButton.tsx'
import { Muted, Row, Stack } from '../../design/components/Layout.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { wholeDuration } from '../../format.ts'
import { governanceWords } from '../../governance/governanceWords.ts'
import { governorCall } from '../../governance/governorCall.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { useServices } from '../../services.ts'
import { useWallet } from '../../wallet/useWallet.ts'
import { WriteStatus } from '../WriteStatus.tsx'
import type { ProposalView } from './useProposalView.ts'

/** What anyone can do with a proposal now: queue it, execute it; and its proposer: cancel it. */
export function StepPanel({ voting, view }: { readonly voting: Voting; readonly view: ProposalView }) {
  const { chain } = useServices()
  const wallet = useWallet()
  const refresh = async () => {
    await Promise.all([voting.refresh(), chain.refresh()])
  }
  const queue = useCall(refresh, governanceWords)
  const execute = useCall(refresh, governanceWords)
  const cancel = useCall(refresh, governanceWords)
  const { record, state } = view
  const { governor, proposal, eta } = record
  const why = voting.unsafe ?? (wallet === null ? 'connect a wallet' : undefined)
  const settle = (functionName: string) =>
    governorCall(voting, governor, functionName, settleArguments(proposal))
  const isEmergency = governor === 'emergency'
  const canQueue = state === 'succeeded' && !isEmergency
  const isDue = eta !== null && voting.now >= eta
  const canExecute = (state === 'succeeded' && isEmergency) || state === 'queued'
  const canCancel = state === 'pending' && wallet?.account === record.proposer
  const didRun = [queue, execute, cancel].some(({ step }) => step !== 'idle')
  if (!record.isGenuine || (!canQueue && !canExecute && !canCancel && !didRun)) return null
  return (
    <Panel title="Next step">
      <Stack>
        {canQueue ? (
          <>
            <p>It passed. Queueing puts it into the timelock; anyone can do it.</p>
            <Row>
              <Button kind="strong" busy={queue.isBusy} why={why} onPress={() => queue.run(settle('queue'))}>
                Queue
              </Button>
            </Row>
          </>
        ) : null}
        {canExecute && isEmergency ? (
          <>
            <p>It passed: holding the button stops them with the next block. Anyone can do it.</p>
            <HoldButton
              label="Hold to stop"
              disabled={why !== undefined || execute.isBusy}
              onHeld={() => execute.run(settle('execute'))}
            />
            {why === undefined ? null : <Muted>Not yet: {why}.</Muted>}
          </>
        ) : null}
        {canExecute && !isEmergency ? (
          <>
            <p>
              {isDue
                ? 'The timelock lets it go: anyone can execute it.'
                : 'The timelock holds it, so that whoever disagrees can act.'}
            </p>
            <Row>
              <Button
                kind="strong"
                busy={execute.isBusy}
                why={why ?? (isDue ? undefined : `in ${wholeDuration(((eta ?? 0) - voting.now) * 1000)}`)}
                onPress={() => execute.run(settle('execute'))}
              >
                Execute
              </Button>
            </Row>
          </>
        ) : null}
        {canCancel ? (
          <>
            <p>You proposed it and can take it back until voting begins.</p>
            <Row>
              <Button busy={cancel.isBusy} why={why} onPress={() => cancel.run(settle('cancel'))}>
                Cancel the proposal
              </Button>
            </Row>
          </>
        ) : null}
        <WriteStatus write={queue} done="Queued." />
        <WriteStatus write={execute} done="Executed." />
        <WriteStatus write={cancel} done="Cancelled." />
      </Stack>
    </Panel>
  )
}
