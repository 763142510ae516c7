import { isHex } from 'viem'
import { limitBounds, maxUriLength } from '../../protocol/policy/bounds.ts'
import {
  type DocumentReference,
  type KillPolicy,
  type LimitName,
  type Limits,
  limitNames,
} from '../../protocol/policy/killPolicy.ts'
import { whole } from '../format.ts'
import type { DocumentField } from './policyFields.ts'

/** A document as it is being entered. */
export type DocumentDraft = { readonly hash: string; readonly uri: string }

/** A policy as it is being entered: whatever was typed. */
export type PolicyDraft = {
  readonly limits: Readonly<Record<LimitName, string>>
} & Readonly<Record<DocumentField, DocumentDraft>>

export type DraftField = LimitName | DocumentField

export const draftOf = ({ limits, boundary, decisions }: KillPolicy): PolicyDraft => ({
  limits: Object.fromEntries(limitNames.map((name) => [name, String(limits[name])])) as PolicyDraft['limits'],
  boundary: boundary ?? { hash: '', uri: '' },
  decisions: decisions ?? { hash: '', uri: '' },
})

/** A draft read: the policy, or what keeps each field from being part of one. */
export type ReadDraft = {
  readonly policy: KillPolicy | null
  readonly faults: Readonly<Partial<Record<DraftField, string>>>
}

/** @param minCooldown the KillSwitch's least cool-down, in seconds */
export function readDraft(draft: PolicyDraft, minCooldown: number): ReadDraft {
  const faults: Partial<Record<DraftField, string>> = {}
  const limits = Object.fromEntries(
    limitNames.map((name) => {
      const text = draft.limits[name].trim().replaceAll(',', '')
      return [name, /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN]
    }),
  ) as Limits
  const bounds = limitBounds(limits, minCooldown)
  for (const name of limitNames) {
    const { least, most } = bounds[name]
    const value = limits[name]
    // A bound that is another field's value is no help while that one is wrong.
    if (Number.isNaN(value)) faults[name] = 'A whole number.'
    else if (value < least || value > most) faults[name] = `From ${whole(least)} to ${whole(most)}.`
  }
  const document = (name: DocumentField): DocumentReference | null => {
    const hash = draft[name].hash.trim().toLowerCase()
    const uri = draft[name].uri.trim()
    if (hash === '' && uri === '') return null
    if (!isHex(hash) || hash.length !== 66 || /^0x0*$/.test(hash))
      faults[name] = 'The SHA-256 of the document: 0x and 64 hexadecimal digits, not all zero.'
    else if (uri === '') faults[name] = 'Where the document is found; a hash alone is of no use.'
    else if (new TextEncoder().encode(uri).length > maxUriLength)
      faults[name] = `A URI of at most ${maxUriLength} bytes.`
    return { hash: hash as DocumentReference['hash'], uri }
  }
  const policy = { limits, boundary: document('boundary'), decisions: document('decisions') }
  return { policy: Object.keys(faults).length === 0 ? policy : null, faults }
}
