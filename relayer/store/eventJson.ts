import type { RegistryEvent } from '../../protocol/registry.ts'

/** JSON of an event; the one bigint of events, a nonce, as a decimal string. */
export const eventToJson = (event: RegistryEvent): string =>
  JSON.stringify(event, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))

export function eventFromJson(json: string): RegistryEvent {
  const event = JSON.parse(json) as RegistryEvent
  return event.type === 'OrderBurned' ? { ...event, nonce: BigInt(event.nonce) } : event
}
