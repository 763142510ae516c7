import type { Hex } from '../../../protocol/hex.ts'
import { rankName } from '../../../protocol/rank.ts'
import { Scope, subjectLabel, type Target } from '../../../protocol/scope.ts'
import { resumeTerms } from '../../chain/resumeTerms.ts'
import { useWrite } from '../../chain/useWrite.ts'
import { useChainTime } from '../../data/useChainTime.ts'
import { useStore } from '../../data/useStore.ts'
import { Button } from '../../design/components/Button.tsx'
import { Countdown } from '../../design/components/Countdown.tsx'
import { Row } from '../../design/components/Layout.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { clockTime, shortHex, wholeDuration } from '../../format.ts'
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
  // Also once it is done: then it is the owner's alone.
  const lowers = terms.kind === 'owner alone' || ('lowers' in terms && terms.lowers)
  const effect = lowers
    ? 'It lifts what stands above its owner’s kill; what the owner stopped stays stopped until the owner resumes it.'
    : `Resuming brings back ${what}.`
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
      ) : terms.kind === 'owner alone' ? (
        <p>
          {terms.of.scope === target.scope
            ? 'Its owner stopped it, so its owner alone resumes it.'
            : `Its wallet ${shortHex(subjectLabel(terms.of) as Hex)} was stopped by its owner: resume the wallet first, from that wallet.`}
        </p>
      ) : terms.kind === 'key needed' ? (
        <p>It was transferred. Give it a new key first (setKey), then resume it.</p>
      ) : terms.kind === 'request first' ? (
        <>
          <p>
            {effect} It takes two transactions with a cool-down of {wholeDuration(terms.cooldown * 1000)}{' '}
            between them.
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
          <p>
            The cool-down is over. {effect}
            {lowers ? '' : ' Its relayer has to see it as granted first.'}
          </p>
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
        done={
          lowers
            ? 'What stood above its owner’s kill is lifted.'
            : target.scope === Scope.Agent
              ? 'Resumed.'
              : 'The wallet is resumed.'
        }
      />
    </Panel>
  )
}
