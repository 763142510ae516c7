/** Portable types only: integers for times (ms) and flags, text for JSON and hashes. One table per concept. */
export type Schema = {
  settings: { name: string; value: string }
  blocks: { number: number; hash: string; parent_hash: string; time: number }
  chain_events: {
    block_hash: string
    log_index: number
    block_number: number
    block_time: number
    tx_hash: string
    event: string
    granted: number
  }
  kills: {
    id: string
    digest: string | null
    scope: number
    subject: string
    open: number
    seen_at: number
    /** Number of its feed message: the order of kills. */
    number: number
    /** Unix seconds until which its order can be repeated; null without one. */
    deadline: number | null
    /** The transaction that brought it; null while none has. */
    tx_hash: string | null
    record: string
  }
  confirmations: { kill_id: string; spiffe_id: string; at: number; monotonic: number }
  revocation_rows: { scope: number; subject: string; row: string; final_at: number | null }
  feed_messages: { number: number; document: string; hash: string }
  audit_entries: { number: number; json: string; hash: string }
  svids: {
    serial: string
    spiffe_id: string
    owner: string | null
    generation: number
    issued_at: number
    expires_at: number
    proved_at: number
  }
  /** Agents that have a place in their owner's quota: from their first SVID on, until another agent takes it. */
  places: { uuid: string; owner: string; taken_at: number }
  enrolments: { token_hash: string; spiffe_id: string; expires_at: number; used_at: number | null }
  workloads: { spiffe_id: string; enrolled_at: number; withdrawn_at: number | null }
  enforcement_points: {
    spiffe_id: string
    enrolled_at: number
    epoch: string | null
    acknowledged: number
    acknowledged_at: number | null
  }
}
