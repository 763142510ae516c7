import type { ChainHead } from '../chain/foldFollower.ts'
import { useNow } from '../design/components/useNow.ts'

/** The chain's clock in Unix seconds: its head's time, carried on by this machine's since the head was seen; 0 before. */
export function useChainTime(head: ChainHead | null): number {
  const now = useNow()
  return head === null ? 0 : head.time + Math.max(0, Math.floor((now - head.seenAt) / 1000))
}
