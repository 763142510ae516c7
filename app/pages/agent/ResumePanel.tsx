import type { Hex } from '../../../protocol/hex.ts'
import { rankName } from '../../../protocol/rank.ts'
import { Scope, type Target } from '../../../protocol/scope.ts'
import { resumeTerms } from '../../chain/resumeTerms.ts'
import { useWrite } from '../../chain/useWrite.ts'
import { useChainTime } from '../../data/useChainTime.ts'
import { useStore } from '../../data/useStore.ts'
import { Button } from '../../design/components/Button.tsx'
import { Countdown } from '../../design/components/Countdown.tsx'
import { Row } from '../../design/components/Layout.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { clockTime, wholeDuration } from '../../format.ts'
import { useServices } from '../../services.ts'
import { WriteStatus } from '../WriteStatus.tsx'

/** What it takes to bring a stopped subject back, and the two steps that do it. */
export function ResumePanel(props: {
  readonly account: Hex
  readonly target: Target
  readonly title: string
  /** What comes back. */
  readonly what: string
}) {
  const { account, target, title, what } = props
  const { chain } = useServices()
  const { registry, head } = useStore(chain.view)
  const request = useWrite('requestResume')
  const resume = useWrite('resume')
  const chainTime = useChainTime(head)
  if (registry === null || head === null) return null
  const terms = resumeTerms(registry, account, target, chainTime)
  if (terms.kind === 'nothing to lift') return null
  const args = [target.scope, target.subject] as const
  const isBusy = [request.step, resume.step].some((step) => step === 'wallet' || step === 'landing')
  return (
    <Panel title={title} sources={['chain']}>
      {terms.kind === 'not yours' ? (
        <>
          <p>
            A resume of this needs rank {rankName(terms.required)}; this wallet has{' '}
            {terms.rank === 0 ? 'none' : `rank ${rankName(terms.rank)}`}. Guardians and agent wallets can
            stop, but never resume.
          </p>
          <Row>
            <Button onPress={() => {}} why="this wallet may not">
              Request resume
            </Button>
          </Row>
        </>
      ) : terms.kind === 'key needed' ? (
        <p>It was transferred. Give it a new key first (setKey), then resume it.</p>
      ) : terms.kind === 'request first' ? (
        <>
          <p>
            Resuming brings back {what}. It takes two transactions with a cool-down of{' '}
            {wholeDuration(terms.cooldown * 1000)} between them.
            {terms.voided ? ' Your earlier request was voided by a later kill.' : ''}
          </p>
          <Row>
            <Button kind="strong" busy={isBusy} onPress={() => request.run(args)}>
              Request resume
            </Button>
          </Row>
        </>
      ) : terms.kind === 'cooling down' ? (
        <>
          <Countdown from={terms.requestTime} to={terms.readyAt} now={chainTime} />
          <p>
            Resume requested. It can be executed from {clockTime(terms.readyAt * 1000)} on, unless it is
            stopped again before.
          </p>
          <Row>
            <Button onPress={() => {}} why={`in ${wholeDuration((terms.readyAt - chainTime) * 1000)}`}>
              Resume
            </Button>
          </Row>
        </>
      ) : (
        <>
          <p>The cool-down is over. Resuming brings back {what}, once its relayer sees it as granted.</p>
          <Row>
            <Button kind="strong" busy={isBusy} onPress={() => resume.run(args)}>
              Resume
            </Button>
          </Row>
        </>
      )}
      <WriteStatus write={request} done="Requested." />
      <WriteStatus
        write={resume}
        done={target.scope === Scope.Agent ? 'Resumed.' : 'The wallet is resumed.'}
      />
    </Panel>
  )
}
