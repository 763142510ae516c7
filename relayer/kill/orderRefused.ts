/** An order was not taken and nothing changed. */
export class OrderRefusedError extends Error {
  override readonly name = 'OrderRefusedError'
  readonly kind:
    | 'unknown agent'
    | 'unknown wallet'
    | 'not authorized'
    | 'bad signature'
    | 'superseded'
    | 'replayed'
    | 'burnt'
  /** The field of the order at fault. */
  readonly field: string
  readonly value: string
  constructor(kind: OrderRefusedError['kind'], field: string, value: unknown, detail: string) {
    super(detail)
    this.kind = kind
    this.field = field
    this.value = String(value)
  }
}
