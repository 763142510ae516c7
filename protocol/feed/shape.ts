import { fromBase64Url } from '../bytes.ts'
import { Rank } from '../rank.ts'
import { maxTextBytes } from '../reason.ts'
import { InvalidSubjectError, subjectLabel, type Target } from '../scope.ts'
import { isUuid } from '../uuid.ts'

/** A field of a feed document is not what docs/protocol.md, Feed, says. */
export class InvalidFeedShapeError extends Error {
  override readonly name = 'InvalidFeedShapeError'
  readonly field: string
  readonly value: unknown
  constructor(field: string, value: unknown) {
    super(`${field} is malformed: ${String(JSON.stringify(value)).slice(0, 100)}`)
    this.field = field
    this.value = value
  }
}

type Fields = Readonly<Record<string, unknown>>
type Check = (value: unknown) => boolean

const isString: Check = (value) => typeof value === 'string'
const isShort =
  (limit: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= limit
const isBoolean: Check = (value) => typeof value === 'boolean'
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const isUint16: Check = (value) => isCount(value) && (value as number) <= 0xffff
const isRank: Check = (value) => Object.values<unknown>(Rank).includes(value)
const isUuidText: Check = (value) => typeof value === 'string' && isUuid(value)
/** 32 bytes, base64url. */
const isHash: Check = (value) => {
  try {
    return typeof value === 'string' && fromBase64Url(value).length === 32
  } catch {
    return false
  }
}

function requireFields(fields: unknown, at: string, checks: Readonly<Record<string, Check>>): Fields {
  if (typeof fields !== 'object' || fields === null) throw new InvalidFeedShapeError(at, fields)
  for (const [name, check] of Object.entries(checks)) {
    const value = Object.hasOwn(fields, name) ? (fields as Fields)[name] : undefined
    if (!check(value)) throw new InvalidFeedShapeError(at === '' ? name : `${at}.${name}`, value)
  }
  return fields as Fields
}

/** A row that no `targetKey` of an SVID equals would be a kill that is never enforced, so subjects must be well formed. */
function requireRow(row: unknown, at: string): Target {
  const target = requireFields(row, at, {
    scope: isCount,
    subject: isString,
    provisional: isBoolean,
    finalSequence: isCount,
    rank: isRank,
    reason: isUint16,
    // Bounded, so that a relayer can make its readers hold only so much.
    text: isShort(maxTextBytes),
    killId: isShort(64),
  }) as unknown as Target
  try {
    subjectLabel(target)
  } catch (cause) {
    if (cause instanceof InvalidSubjectError) throw new InvalidFeedShapeError(`${at}.subject`, target.subject)
    throw cause
  }
  return target
}

const position = {
  relayer: isString,
  deployment: isString,
  epoch: isUuidText,
  number: isCount,
  previous: isHash,
  time: isCount,
}

const isBlockMark: Check = (value) => {
  if (value === null) return true
  requireFields(value, 'block', { number: isCount, hash: isString, time: isCount })
  return true
}
const chainView = { head: isBlockMark, grantPoint: isBlockMark, blind: isBoolean }

const rowTypes: readonly unknown[] = ['kill', 'final', 'withdrawn', 'resumed', 'dropped']

/** @throws {InvalidFeedShapeError} naming the field */
export function requireFeedMessage(document: unknown): void {
  const { type, number } = requireFields(document, '', position)
  if (type === 'heartbeat') {
    requireFields(document, '', { ...chainView, table: isHash })
    return
  }
  if (!rowTypes.includes(type)) throw new InvalidFeedShapeError('type', type)
  if (number === 0) throw new InvalidFeedShapeError('number', number)
  requireRow((document as Fields).row, 'row')
}

/** @throws {InvalidFeedShapeError} naming the field */
export function requireSnapshot(document: unknown): void {
  const { rows } = requireFields(document, '', { ...position, ...chainView, rows: Array.isArray })
  const seen = new Set<string>()
  for (const [index, row] of (rows as readonly unknown[]).entries()) {
    const { scope, subject } = requireRow(row, `rows[${index}]`)
    const key = `${scope}:${subject}`
    if (seen.has(key)) throw new InvalidFeedShapeError(`rows[${index}].subject`, subject)
    seen.add(key)
  }
}
