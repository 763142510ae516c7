import type { RegistryEvent } from '../../protocol/registry.ts'

/** JSON of an event; the only bigints of events, nonces, as a decimal string. */
export const eventToJson = (event: RegistryEvent): string =>
  JSON.stringify(event, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))

export function eventFromJson(json: string): RegistryEvent {
  const event = JSON.parse(json) as RegistryEvent
  return event.type === 'OrderBurned' || event.type === 'OrderLanded'
    ? { ...event, nonce: BigInt(event.nonce) }
    : event
}
