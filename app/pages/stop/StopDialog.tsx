import { useState } from 'react'
import { useBalance } from 'wagmi'
import type { Hex } from '../../../protocol/hex.ts'
import { Rank } from '../../../protocol/rank.ts'
import { Reason, reasonName } from '../../../protocol/reason.ts'
import { killRankOf } from '../../../protocol/registry.ts'
import { agentTarget, ownerTarget } from '../../../protocol/scope.ts'
import type { StopRun, StopWay } from '../../data/stopper.ts'
import { type FleetAgent, useFleet } from '../../data/useFleet.ts'
import { useRelayerHealth } from '../../data/useHealth.ts'
import { useStore } from '../../data/useStore.ts'
import { AgentList } from '../../design/components/AgentList.tsx'
import { Button } from '../../design/components/Button.tsx'
import { Dialog } from '../../design/components/Dialog.tsx'
import { type Choice, ChoiceField } from '../../design/components/Field.tsx'
import { HoldButton } from '../../design/components/HoldButton.tsx'
import { Muted, Row, Stack } from '../../design/components/Layout.tsx'
import { Notice } from '../../design/components/Notice.tsx'
import { count, shortHex } from '../../format.ts'
import { type StopSubject, useStop } from '../../frame/stopContext.ts'
import { useServices } from '../../services.ts'
import { WalletChoice } from '../../wallet/ConnectDialog.tsx'
import { useWallet } from '../../wallet/useWallet.ts'
import { isTooLong, type KillReason, KillReasonFields } from '../KillReasonFields.tsx'
import { StopProgress } from './StopProgress.tsx'
import { stopSummary } from './stopSummary.ts'

const reasons = [
  Reason.Unspecified,
  Reason.Compromised,
  Reason.Misbehaving,
  Reason.PolicyViolation,
  Reason.Retired,
  Reason.Drill,
]

/** The emergency stop: what, why and how; then its progress. One dialog from every page. */
export function StopDialog({
  subject,
  progress,
  onClose,
}: {
  readonly subject: StopSubject | null
  /** The number of the stop whose progress is asked for, whoever made it. */
  readonly progress: number | null
  readonly onClose: () => void
}) {
  const { stopper } = useServices()
  const run = useStore(stopper.run)
  const wallet = useWallet()
  // Whoever goes to another account and presses stop wants that one's agents stopped, not news of the last one's.
  const isShown =
    run !== null && (progress === run.number || wallet === null || run.account === wallet.account)
  const title = isShown
    ? 'Emergency stop'
    : subject === null
      ? 'Stop all agents of a wallet'
      : 'Stop this agent'
  return (
    <Dialog title={title} emergency onClose={onClose}>
      {isShown ? (
        <StopProgress run={run} onClose={onClose} />
      ) : wallet === null ? (
        <Stack>
          <p>A stop is signed or sent by your wallet. Connect it first.</p>
          <WalletChoice onConnected={() => {}} />
        </Stack>
      ) : (
        // Another account is another question: nothing of the one before may stand in it.
        <Stack>
          {run === null ? null : <FormerStop run={run} />}
          <StopQuestion key={wallet.account} account={wallet.account} subject={subject} />
        </Stack>
      )}
    </Dialog>
  )
}

/** The latest stop, of an account that the wallet has left: the next one takes its place, so it must not go unseen. */
function FormerStop({ run }: { readonly run: StopRun }) {
  const { showProgress } = useStop()
  const { title, detail, tone } = stopSummary(run)
  return (
    <Notice title={title} tone={tone} actions={<Button onPress={showProgress}>Show progress</Button>}>
      {detail}
    </Notice>
  )
}

function StopQuestion({ account, subject }: { readonly account: Hex; readonly subject: StopSubject | null }) {
  const { stopper, chain, config } = useServices()
  const { registry, head } = useStore(chain.view)
  const fleet = useFleet(account)
  const relayer = useRelayerHealth()
  const balance = useBalance({ address: account })
  const guarded = [...new Set(fleet.guarded.map(({ owner }) => owner))]
  const [chosenWallet, setWallet] = useState<Hex>(account)
  const [why, setWhy] = useState<KillReason>({ reason: Reason.Unspecified, text: '' })
  const [chosenWay, setWay] = useState<StopWay | null>(null)
  const [more, setMore] = useState(false)

  const all = [...fleet.own, ...fleet.guarded]
  const isMine = fleet.own.length > 0 || guarded.length === 0
  const wallet = chosenWallet === account && !isMine ? (guarded[0] as Hex) : chosenWallet
  const target = subject === null ? ownerTarget(wallet) : agentTarget(subject.uuid)
  const covered: readonly FleetAgent[] =
    subject === null
      ? all.filter(({ owner }) => owner === wallet)
      : all.filter(({ uuid }) => uuid === subject.uuid)
  const running = covered.filter(({ state }) => state === 'alive')
  const stopped = covered.filter(({ state }) => state !== 'alive')
  const hasGas = balance.data === undefined || balance.data.value > 0n
  const ways: readonly Choice<StopWay>[] = [
    {
      value: 'signature',
      label: 'Signature',
      note: 'Free and fastest: you sign an order, the relayer enforces it at once and brings it on chain.',
      why: relayer.isDown ? 'The relayer does not answer; an order needs it.' : undefined,
    },
    {
      value: 'transaction',
      label: 'Transaction',
      note: 'Costs gas, needs no relayer: it takes effect with its block.',
      why: hasGas ? undefined : 'This wallet holds no ether to pay for gas.',
    },
  ]
  const way = chosenWay ?? (relayer.isDown ? 'transaction' : 'signature')
  const mayKill =
    registry === null ||
    killRankOf(registry, account, target, head?.time ?? Math.floor(Date.now() / 1000)) !== Rank.None
  const owner = subject === null ? wallet : subject.owner
  const untilWhen = owner === account ? 'until you resume it' : 'until its owner resumes it'
  const label =
    subject === null
      ? // By its address: the run outlasts the account that the wallet is at.
        `all agents of ${shortHex(wallet)}`
      : `${subject.spiffeId.split('/').slice(3).join('/')}`

  const start = () =>
    stopper.start({
      account,
      target,
      spiffeId: subject?.spiffeId ?? null,
      label,
      agents: running.length,
      ...why,
      way,
    })

  return (
    <Stack>
      {subject === null && guarded.length > 0 ? (
        <ChoiceField
          label="Whose agents"
          value={wallet}
          onChange={setWallet}
          choices={[
            ...(isMine ? [{ value: account, label: 'Yours', note: count(fleet.own.length, 'agent') }] : []),
            ...guarded.map((owner) => ({
              value: owner,
              label: `${shortHex(owner)}, whose guardian you are`,
              note: count(fleet.guarded.filter((one) => one.owner === owner).length, 'agent'),
            })),
          ]}
        />
      ) : null}
      <Stack tight>
        <p>
          <strong>
            {subject === null
              ? `Stops ${fleet.source === 'none' ? 'every agent that the chain knows of the wallet' : count(running.length, 'running agent')} now, and every agent that the wallet registers or receives ${untilWhen}.`
              : `Stops this agent now, ${untilWhen}.`}
          </strong>{' '}
          <Muted>Open connections are cut, not drained, and no new identity is given.</Muted>
        </p>
        <AgentList agents={[...running, ...stopped]} />
        {fleet.source === 'none' ? (
          <Muted>The chain is not read yet, so they cannot be listed. The stop does not wait for that.</Muted>
        ) : null}
        {fleet.source === 'relayer' ? (
          <Muted>
            This list is the relayer's: the chain cannot be read now. The stop covers what the chain says.
          </Muted>
        ) : null}
      </Stack>
      {mayKill ? null : (
        <Notice title="This wallet has no kill over it" tone="mark">
          It is neither its owner nor one of its guardians. Connect another wallet.
        </Notice>
      )}
      {subject === null && covered.length === 0 && mayKill && registry !== null ? (
        <Notice title="The chain knows no agent of this wallet">
          By signature such a stop is refused; by transaction it stands for agents to come.
        </Notice>
      ) : null}
      <ChoiceField label="How" value={way} onChange={setWay} choices={ways} />
      {more ? (
        <KillReasonFields reasons={reasons} value={why} onChange={setWhy} />
      ) : (
        <Row spread>
          <Muted>Reason: {reasonName(why.reason)}</Muted>
          <Button kind="quiet" onPress={() => setMore(true)}>
            Say why
          </Button>
        </Row>
      )}
      <Muted>
        {way === 'signature'
          ? 'Next, your wallet asks for a signature (KillOrder). It costs nothing and moves nothing.'
          : `Next, your wallet asks to confirm a transaction on ${config.chainName}. It costs gas.`}
      </Muted>
      <HoldButton
        label={subject === null ? 'Hold to stop all' : 'Hold to stop'}
        disabled={isTooLong(why) || !mayKill}
        onHeld={start}
      />
    </Stack>
  )
}
