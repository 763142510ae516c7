import { useQuery } from '@tanstack/react-query'
import type { HealthState } from '../design/components/Health.tsx'
import { useNow } from '../design/components/useNow.ts'
import { age, whole } from '../format.ts'
import { useServices } from '../services.ts'
import { isOldHead } from './oldHead.ts'
import { useStore } from './useStore.ts'

/** How one of the things that the page depends on fares. */
export type HealthView = { readonly state: HealthState; readonly words: string; readonly title?: string }

/** ms between two questions for the relayer's readiness */
const lookInterval = 3_000

export function useRelayerHealth(): HealthView & { readonly isDown: boolean } {
  const { api } = useServices()
  const { data, error, isPending } = useQuery({
    queryKey: ['readiness'],
    queryFn: () => api.readiness(),
    refetchInterval: lookInterval,
  })
  if (isPending) return { state: 'doubtful', words: 'asking …', isDown: false }
  if (error !== null) return { state: 'bad', words: 'does not answer', title: error.message, isDown: true }
  return data.ready
    ? { state: 'good', words: 'ready', title: api.url, isDown: false }
    : { state: 'bad', words: 'not ready', title: data.why, isDown: false }
}

export function useChainHealth(): HealthView & { readonly isDown: boolean } {
  const { chain, config } = useServices()
  const { head, error, readAt } = useStore(chain.view)
  const now = useNow()
  if (error !== null)
    return {
      state: 'bad',
      words: readAt === null ? 'no node answers' : `no answer for ${age(now - readAt)}`,
      title: (error as Error).message,
      isDown: true,
    }
  if (head === null) return { state: 'doubtful', words: 'reading …', isDown: false }
  const block = `block ${whole(head.number)}`
  const isOld = isOldHead(head.time, now)
  return isOld
    ? { state: 'doubtful', words: `${block}, ${age(now - head.time * 1000)} old`, isDown: false }
    : { state: 'good', words: block, title: config.rpc, isDown: false }
}

export function useFeedHealth(): HealthView {
  const { feed } = useServices()
  const { freshness, heardAt, refused, unsupported } = useStore(feed.view)
  const now = useNow()
  if (unsupported)
    return {
      state: 'bad',
      words: 'not verified',
      title: 'This browser cannot check Ed25519 signatures; use a newer one',
    }
  if (refused !== null) return { state: 'bad', words: 'a message was refused', title: refused }
  const since = heardAt === null ? '' : `${Math.max(0, Math.round((now - heardAt) / 1000))} s ago`
  if (freshness === 'fresh')
    return { state: 'good', words: `verified, ${since}`, title: 'Its signatures are checked by this page' }
  if (freshness === 'blind')
    return { state: 'bad', words: 'relayer blind', title: 'The relayer has seen no new block for too long' }
  if (freshness === 'stale')
    return {
      state: 'bad',
      words: `stale, ${since}`,
      title: 'Enforcement points refuse everybody without a fresh feed',
    }
  return { state: 'doubtful', words: 'none yet' }
}
