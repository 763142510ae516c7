import type { Hex } from '../../../protocol/hex.ts'
import { CopyText } from '../../design/components/CopyText.tsx'
import { type Column, DataTable } from '../../design/components/DataTable.tsx'
import { Empty } from '../../design/components/Empty.tsx'
import { Muted } from '../../design/components/Layout.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { count, shortHex } from '../../format.ts'
import { share } from '../../governance/tokens.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { useWallet } from '../../wallet/useWallet.ts'

type Delegate = { readonly delegate: Hex; readonly votes: bigint; readonly holders: number }
/** Delegates that are listed; the rest is counted. */
const shown = 100

/** Who votes, with how much, for how many holders. */
export function DelegateList({ voting }: { readonly voting: Voting }) {
  const { votes, delegates, supply } = voting.governance
  const wallet = useWallet()
  const holders = new Map<Hex, number>()
  for (const delegate of delegates.values()) holders.set(delegate, (holders.get(delegate) ?? 0) + 1)
  const all: readonly Delegate[] = [...votes]
    .filter(([, power]) => power > 0n)
    .map(([delegate, power]) => ({ delegate, votes: power, holders: holders.get(delegate) ?? 0 }))
    .sort((a, b) => (a.votes === b.votes ? 0 : a.votes < b.votes ? 1 : -1))
  const total = all.reduce((sum, one) => sum + one.votes, 0n)
  const columns: readonly Column<Delegate>[] = [
    {
      name: 'Delegate',
      wide: true,
      cell: ({ delegate }) => <CopyText text={delegate} what="delegate's address" />,
    },
    { name: 'Votes', figures: true, cell: (one) => share(one.votes, supply) },
    {
      name: 'Holders',
      figures: true,
      cell: (one) => `${one.holders}${one.delegate === wallet?.account ? ' (you)' : ''}`,
    },
  ]
  return (
    <Panel
      title="Delegates"
      sources={['chain']}
      flush
      actions={<Muted>{share(total, supply)} delegated</Muted>}
    >
      {all.length === 0 ? (
        <Empty title="Nobody has delegated">Without delegates no vote can carry.</Empty>
      ) : (
        <DataTable
          caption="Delegates"
          columns={columns}
          rows={all.slice(0, shown)}
          keyOf={({ delegate }) => delegate}
          dense
        />
      )}
      {all.length > shown ? (
        <Muted>
          and {count(all.length - shown, 'more delegate')}, the next {shortHex(all[shown]?.delegate ?? '')}
        </Muted>
      ) : null}
    </Panel>
  )
}
