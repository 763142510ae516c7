/** No SVID was issued. */
export class IssuanceRefusedError extends Error {
  override readonly name = 'IssuanceRefusedError'
  readonly kind:
    | 'unknown agent'
    | 'killed'
    | 'no key'
    | 'other identity'
    | 'bad proof'
    | 'bad request'
    | 'bad token'
    | 'proof needed'
    | 'revoked'
    | 'blind'
    | 'not enrolled'
    | 'cooling down'
    | 'policies unread'
    | 'quota filled'
  readonly field: string
  readonly value: string
  /** The registered agent that is decided about; null where there is none. */
  readonly spiffeId: string | null
  /** From when it will be given, in ms; null where that is not a matter of time. */
  readonly retryAt: number | null
  constructor(
    kind: IssuanceRefusedError['kind'],
    field: string,
    value: unknown,
    detail: string,
    more: { readonly spiffeId?: string; readonly retryAt?: number } = {},
  ) {
    super(detail)
    this.kind = kind
    this.field = field
    this.value = String(value)
    this.spiffeId = more.spiffeId ?? null
    this.retryAt = more.retryAt ?? null
  }
}
