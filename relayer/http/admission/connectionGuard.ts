import type { Socket } from 'node:net'
import { addressKey } from './addressKey.ts'

type Guarded = Pick<Socket, 'remoteAddress' | 'destroy' | 'once'>

export type ConnectionGuard = {
  /** Counts a new connection, or cuts it, or another to make room for it. */
  admit(socket: Guarded): void
  /** A connection has become a stream of the feed, which costs nothing while it is open. */
  becomesStream(socket: Guarded): void
  readonly open: number
}

type Held = { readonly requests: Set<Guarded>; readonly streams: Set<Guarded> }

const sizeOf = (held: Held): number => held.requests.size + held.streams.size

/**
 * Bounds how many connections one address may hold, and shares all that there are fairly: when they run out, the
 * address with most of them loses one, so that strangers with many cannot keep out an owner with one.
 */
export function createConnectionGuard(options: {
  /** Connections of one address that are not streams. */
  readonly perAddress: number
  /** Of all addresses, streams included. */
  readonly total: number
  /** Whether `perAddress` holds for an address; not for a proxy, behind which everybody has the same. */
  readonly isLimited?: (key: string) => boolean
}): ConnectionGuard {
  const { perAddress, total, isLimited = () => true } = options
  const byAddress = new Map<string, Held>()
  let open = 0

  const forget = (key: string, socket: Guarded) => {
    const held = byAddress.get(key)
    if (held === undefined || !(held.requests.delete(socket) || held.streams.delete(socket))) return
    open -= 1
    if (sizeOf(held) === 0) byAddress.delete(key)
  }

  /** Makes room at the cost of who has most, and more than a newcomer that has `own`: its oldest, streams last. */
  const makeRoom = (own: number): boolean => {
    let most: { readonly key: string; readonly held: Held } | undefined
    let size = own
    for (const [key, held] of byAddress) {
      if (sizeOf(held) <= size) continue
      most = { key, held }
      size = sizeOf(held)
    }
    const victim = most?.held.requests.values().next().value ?? most?.held.streams.values().next().value
    if (most === undefined || victim === undefined) return false
    forget(most.key, victim)
    victim.destroy()
    return true
  }

  return {
    admit(socket) {
      const key = addressKey(socket.remoteAddress)
      const held = byAddress.get(key) ?? { requests: new Set(), streams: new Set() }
      const full = isLimited(key) && held.requests.size >= perAddress
      if (full || (open >= total && !makeRoom(sizeOf(held)))) {
        socket.destroy()
        return
      }
      held.requests.add(socket)
      byAddress.set(key, held)
      open += 1
      socket.once('close', () => forget(key, socket))
    },
    becomesStream(socket) {
      const held = byAddress.get(addressKey(socket.remoteAddress))
      if (held?.requests.delete(socket) === true) held.streams.add(socket)
    },
    get open() {
      return open
    },
  }
}
