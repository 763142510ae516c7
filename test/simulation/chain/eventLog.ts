import { encodeAbiParameters, encodeEventTopics } from 'viem'
import { killSwitchAbi } from '../../../protocol/generated/killSwitchAbi.ts'
import type { Hex } from '../../../protocol/hex.ts'
import type { RegistryEvent } from '../../../protocol/registry.ts'
import { agentIdFromUuid } from '../../../protocol/uuid.ts'

const zeroAddress: Hex = `0x${'0'.repeat(40)}`
const zeroHash: Hex = `0x${'0'.repeat(64)}`

type Parameter = { readonly name: string; readonly type: string; readonly indexed: boolean }
const eventsByName = new Map(
  killSwitchAbi.flatMap((item) => (item.type === 'event' ? [[item.name as string, item] as const] : [])),
)

/** The arguments of an event as the contract gives them: nothing is null, agents go by their number. */
function argumentsOf(event: RegistryEvent): Record<string, unknown> {
  const args: Record<string, unknown> = { ...event }
  if ('uuid' in event) args.agentId = agentIdFromUuid(event.uuid)
  if (event.type === 'Killed') args.orderDigest = event.orderDigest ?? zeroHash
  for (const [name, value] of Object.entries(args)) if (value === null) args[name] = zeroAddress
  // What the registry does not keep.
  return { burner: zeroAddress, formerGovernance: zeroAddress, governance: zeroAddress, ...args }
}

/** The log that the contract writes for an event: the opposite of `decodeRegistryLog`. */
export function encodeRegistryEvent(event: RegistryEvent): {
  readonly topics: readonly Hex[]
  readonly data: Hex
} {
  const args = argumentsOf(event)
  // ERC-8004 has it that an agent's wallet is metadata of a reserved key.
  const isWallet = event.type === 'AgentWalletChanged'
  if (isWallet) {
    args.indexedMetadataKey = 'agentWallet'
    args.metadataKey = 'agentWallet'
    args.metadataValue = event.agentWallet ?? '0x'
  }
  const item = eventsByName.get(isWallet ? 'MetadataSet' : event.type)
  if (item === undefined) throw new TypeError(`the contract has no event ${event.type}`)
  const topics = encodeEventTopics({ abi: [item], args } as never) as Hex[]
  const plain = (item.inputs as readonly Parameter[]).filter((input) => !input.indexed)
  return {
    topics,
    data: encodeAbiParameters(
      plain,
      plain.map((input) => args[input.name]),
    ),
  }
}
