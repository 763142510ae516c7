import { ownersHold } from '../../../protocol/registry.ts'
import type { Target } from '../../../protocol/scope.ts'
import { useStore } from '../../data/useStore.ts'
import { Notice } from '../../design/components/Notice.tsx'
import { useServices } from '../../services.ts'

/** Where a release by votes is refused for an owner's kill, or leaves one in place. */
export function OwnersKillNotice({ target }: { readonly target: Target }) {
  const { chain } = useServices()
  const { registry } = useStore(chain.view)
  if (registry === null || registry.governance === null) return null
  const hold = ownersHold(registry, registry.governance, target)
  switch (hold.kind) {
    case 'none':
      return null
    case 'lowers':
      return (
        <Notice title="Its owner’s kill stays" tone="mark">
          Its owner stopped it too. The release lifts what was stopped above that, and it stays stopped until
          its owner resumes it.
        </Notice>
      )
    case 'refuses':
      return (
        <Notice title="Votes cannot release this" tone="mark">
          {hold.of.scope === target.scope
            ? 'Its owner stopped it.'
            : 'Its owner stopped the wallet that it belongs to.'}{' '}
          The contract refuses to lift that, whatever the vote says: its owner alone does.
        </Notice>
      )
  }
}
