import type { Hex } from '../../../protocol/hex.ts'
import type { RelayerPolicies } from '../../api/relayerApi.ts'

/** What the relayer says of one policy: `isTold` if it names a version, which is its word alone. */
export type RelayerWord = { readonly isTold: boolean; readonly words: string }

/**
 * Which version the relayer goes by, in words. A version that is only seen is no version that it goes by.
 * @param answer the last one; `error` if the one after it failed: then what was said is old, and not repeated
 * @param killPolicies the contract of the configuration
 * @param agentType null for the default
 */
export function relayerWord(
  answer: { readonly data: RelayerPolicies | undefined; readonly error: unknown },
  killPolicies: Hex,
  agentType: string | null,
): RelayerWord {
  const { data, error } = answer
  const silent = (words: string): RelayerWord => ({ isTold: false, words })
  if (error !== null) return silent('it does not tell: this page shows what the chain says')
  if (data === undefined) return silent('being asked …')
  if (data.contract?.toLowerCase() !== killPolicies)
    return silent('it follows another contract and says nothing of this one')
  const policy = data.policies.find((one) => one.agentType === agentType)
  if (policy === undefined || policy.seen === null) return silent('it names no version')
  const { seen, granted } = policy
  const readTo = `Read up to block ${data.readTo.number}.`
  if (seen.version === granted?.version)
    return { isTold: true, words: `goes by version ${seen.version}. ${readTo}` }
  const until = granted === null ? '' : ` Until then version ${granted.version} holds where it is tighter.`
  return {
    isTold: true,
    words: `has seen version ${seen.version}; looser limits wait until the chain is final.${until} ${readTo}`,
  }
}
