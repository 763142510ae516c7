import { hash } from 'node:crypto'
import type { PolicyReference } from '../policy/policyReference.ts'

/** What a decision says of itself. Values are strings, integers, booleans, null, or objects of them. */
export type AuditFields = {
  readonly action: string
  readonly actor: string
  /** The identity decided about; null for the relayer as a whole. */
  readonly spiffeId: string | null
  /** ms */
  readonly time: number
  readonly detail: { readonly [name: string]: AuditValue }
  /** The kill policy in force where the decision is one that a policy can govern; absent where none is followed. */
  readonly policy?: PolicyReference
}

export type AuditValue =
  | string
  | number
  | boolean
  | null
  | readonly AuditValue[]
  | { readonly [name: string]: AuditValue }

export type AuditEntry = { readonly number: number; readonly json: string; readonly hash: string }

/** Where the log stands: the number and hash of its last entry. */
export type AuditPosition = { readonly number: number; readonly hash: string }

/** Before the first entry: no entries, and the hash of nothing. */
export const emptyAudit: AuditPosition = { number: 0, hash: hash('sha256', '', 'hex') }

/**
 * RFC 8785 for the values that entries have: members sorted by UTF-16 code units; JSON.stringify writes strings and
 * integers as the RFC (section 3.2.2) does. Fractions are refused, so that no reader can spell one otherwise.
 */
export function canonicalJson(value: AuditValue): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new RangeError(`an audit entry holds ${value}; use an integer`)
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = Object.entries(value as { [name: string]: AuditValue }).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`
}

/** The next entry of the log: RFC 8785 JSON that names the SHA-256 of the entry before it. */
export function appendEntry(position: AuditPosition, fields: AuditFields): AuditEntry {
  const number = position.number + 1
  const json = canonicalJson({ ...fields, number, previousHash: position.hash })
  return { number, json, hash: hash('sha256', json, 'hex') }
}

/** The log was altered: an entry does not follow the one before it. */
export class AuditChainBrokenError extends Error {
  override readonly name = 'AuditChainBrokenError'
  readonly number: number
  constructor(number: number) {
    super(
      `audit entry ${number} does not match its hash or does not follow entry ${number - 1}; restore the store from a backup`,
    )
    this.number = number
  }
}

/** Checks that entries follow `position`. @throws {AuditChainBrokenError} naming the first that does not */
export function checkEntries(position: AuditPosition, entries: Iterable<AuditEntry>): AuditPosition {
  let last = position
  for (const entry of entries) {
    const said = hash('sha256', entry.json, 'hex') === entry.hash ? placeIn(entry.json) : null
    const follows =
      said?.number === last.number + 1 && entry.number === said.number && said.previousHash === last.hash
    if (!follows) throw new AuditChainBrokenError(entry.number)
    last = { number: entry.number, hash: entry.hash }
  }
  return last
}

/** What an entry says of its own place; null where it is no entry at all. */
function placeIn(json: string): { readonly number: unknown; readonly previousHash: unknown } | null {
  try {
    return JSON.parse(json) as { readonly number: unknown; readonly previousHash: unknown } | null
  } catch {
    return null
  }
}
