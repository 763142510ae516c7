import {
  type AbiParameter,
  type DecodeEventLogReturnType,
  decodeAbiParameters,
  decodeEventLog,
  type Hex,
  keccak256,
  stringToBytes,
} from 'viem'
import { killSwitchEvents, killSwitchTopics } from './generated/killSwitchEvents.ts'
import type { Rank } from './rank.ts'
import type { RegistryEvent } from './registry.ts'
import type { Scope } from './scope.ts'
import { uuidFromAgentId } from './uuid.ts'

let agentWalletHash: Hex | undefined
/** Made when it is first needed: hashing would delay whoever only loads this. */
const agentWalletKey = (): Hex => {
  agentWalletHash ??= keccak256(stringToBytes('agentWallet'))
  return agentWalletHash
}

const lower = (address: string): Hex => address.toLowerCase() as Hex
/** Null for zero and for no bytes. */
const orNull = (value: Hex): Hex | null => (/^0x0*$/.test(value) ? null : (value.toLowerCase() as Hex))

type Log = { readonly topics: readonly Hex[]; readonly data: Hex }
type Decoded = DecodeEventLogReturnType<typeof killSwitchEvents>
type Named = AbiParameter & { readonly name: string; readonly indexed?: boolean }

const events = new Map<
  Hex | undefined,
  { name: string; indexed: readonly Named[]; plain: readonly Named[] }
>()
for (const { name, inputs } of killSwitchEvents) {
  const named: readonly Named[] = inputs
  events.set(killSwitchTopics[name], {
    name,
    indexed: named.filter(({ indexed }) => indexed),
    plain: named.filter(({ indexed }) => !indexed),
  })
}

/**
 * As viem's `decodeEventLog`, which hashes the ABI's events anew for each log: 0.3 ms, most of what a back-fill would
 * take. What does not fit is left to it, for its errors. Of indexed texts (the only dynamic type indexed in this ABI) a
 * log has the hash.
 */
function decode({ topics, data }: Log): Decoded {
  const event = events.get(topics[0])
  if (event === undefined || topics.length !== event.indexed.length + 1)
    return decodeEventLog({ abi: killSwitchEvents, topics: topics as [Hex, ...Hex[]], data })
  const args: Record<string, unknown> = {}
  for (const [i, parameter] of event.indexed.entries()) {
    const topic = topics[i + 1] as Hex
    args[parameter.name] = parameter.type === 'string' ? topic : decodeAbiParameters([parameter], topic)[0]
  }
  const values = event.plain.length === 0 ? [] : decodeAbiParameters(event.plain, data)
  for (const [i, parameter] of event.plain.entries()) args[parameter.name] = values[i]
  return { eventName: event.name, args } as Decoded
}

/**
 * Decodes a log of the contract.
 * @returns null for events that say nothing of liveness or powers (ERC-721's own, refusals, and what owners say of their agents)
 * @throws viem's decoding errors for a log that is not of this ABI
 */
export function decodeRegistryLog(log: Log): RegistryEvent | null {
  const { eventName, args } = decode(log)
  switch (eventName) {
    case 'AgentRegistered':
      return {
        type: eventName,
        uuid: uuidFromAgentId(args.agentId),
        owner: lower(args.owner),
        agentType: args.agentType === '' ? null : args.agentType,
        key: orNull(args.key),
        sequence: args.sequence,
      }
    case 'AgentCompleted':
      return {
        type: eventName,
        uuid: uuidFromAgentId(args.agentId),
        agentType: args.agentType,
        key: args.key,
        sequence: args.sequence,
      }
    case 'AgentTransferred':
      return {
        type: eventName,
        uuid: uuidFromAgentId(args.agentId),
        formerOwner: lower(args.formerOwner),
        newOwner: lower(args.newOwner),
        formerUntil: args.formerUntil,
      }
    case 'KeyChanged':
      return { type: eventName, uuid: uuidFromAgentId(args.agentId), key: args.key, sequence: args.sequence }
    // ERC-8004's name for it. The hash decides: only the contract sets this key, but others can be decoded to its text
    // (decoders drop a byte order mark).
    case 'MetadataSet':
      return args.indexedMetadataKey === agentWalletKey()
        ? {
            type: 'AgentWalletChanged',
            uuid: uuidFromAgentId(args.agentId),
            agentWallet: orNull(args.metadataValue),
          }
        : null
    case 'Killed':
      return {
        type: eventName,
        scope: args.scope as Scope,
        subject: args.subject,
        authority: lower(args.authority),
        rank: args.rank as Rank,
        reason: args.reason,
        sequence: args.sequence,
        orderDigest: orNull(args.orderDigest),
        text: args.text,
      }
    case 'ResumeRequested':
      return {
        type: eventName,
        scope: args.scope as Scope,
        subject: args.subject,
        authority: lower(args.authority),
        sequence: args.sequence,
        readyAt: args.readyAt,
      }
    case 'Resumed':
      return {
        type: eventName,
        scope: args.scope as Scope,
        subject: args.subject,
        authority: lower(args.authority),
        sequence: args.sequence,
        requestTime: args.requestTime,
      }
    case 'RankLowered':
      return {
        type: eventName,
        scope: args.scope as Scope,
        subject: args.subject,
        authority: lower(args.authority),
        requestTime: args.requestTime,
      }
    case 'GuardianAppointed':
      return { type: eventName, owner: lower(args.owner), guardian: lower(args.guardian) }
    case 'GuardianDismissed':
      return { type: eventName, owner: lower(args.owner), guardian: lower(args.guardian), until: args.until }
    case 'OrderLanded':
      return {
        type: eventName,
        authority: lower(args.authority),
        nonce: args.nonce,
        orderDigest: args.orderDigest,
        sequence: args.sequence,
      }
    case 'OrderBurned':
      return {
        type: eventName,
        authority: lower(args.authority),
        nonce: args.nonce,
        orderDigest: args.orderDigest,
        effectiveAt: args.effectiveAt,
      }
    case 'GovernanceOffered':
      return { type: eventName, pending: orNull(args.pending) }
    case 'GovernanceAccepted':
      return { type: eventName, governance: lower(args.governance) }
    case 'CouncilChanged':
      return { type: eventName, council: orNull(args.council) }
    case 'EmergencyGovernorChanged':
      return { type: eventName, emergencyGovernor: orNull(args.emergencyGovernor) }
    case 'BreakerChanged':
      return { type: eventName, breaker: lower(args.breaker), admitted: args.admitted }
    case 'CooldownChanged':
      return { type: eventName, rank: args.rank as Rank, cooldown: args.cooldown }
    default:
      return null
  }
}
