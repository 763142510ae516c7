import type { RevocationRow } from '../../protocol/revocation.ts'
import type { Target } from '../../protocol/scope.ts'
import type { AuditFields } from '../audit/entry.ts'
import type { Announcement, SignedMessage } from '../feed/position.ts'
import type { SvidRecord } from '../identity/svidRecord.ts'
import type { Workload } from '../identity/workload.ts'
import type { ChainBlock, ChainBlockHeader } from './chainPort.ts'
import type { Confirmation, EnforcementPoint } from './points.ts'
import type { KillRecord } from './record.ts'

/** What is noted beside the kill road: nobody is revoked by it, and many notes are written together. */
export type Notes = {
  readonly audit?: readonly AuditFields[]
  readonly svids?: readonly SvidRecord[]
  /** Enrolled or withdrawn workloads; with the enforcement point that one becomes. */
  readonly workloads?: readonly { readonly workload: Workload; readonly point: EnforcementPoint | null }[]
  /** Enforcement points with the kills that they newly confirm. */
  readonly points?: readonly {
    readonly point: EnforcementPoint
    readonly confirmations: readonly Confirmation[]
  }[]
}

/** Everything that one decision changes; written in one transaction. */
export type Changes = Notes & {
  readonly kills?: readonly KillRecord[]
  /** `finalAt` (ms): since when no origin is provisional; null while one is. */
  readonly rows?: readonly { readonly row: RevocationRow; readonly finalAt: number | null }[]
  readonly droppedRows?: readonly Target[]
  readonly announcements?: readonly Announcement[]
  readonly blocks?: readonly ChainBlock[]
  readonly droppedBlocks?: readonly ChainBlockHeader[]
  readonly grantPoint?: ChainBlockHeader
}

/** The journal could not write; the messages are signed and numbered all the same, and are written with the next success. */
export class JournalFailedError extends Error {
  override readonly name = 'JournalFailedError'
  readonly messages: readonly SignedMessage[]
  constructor(messages: readonly SignedMessage[], cause: unknown) {
    super(
      `the store did not take the decision (${cause instanceof Error ? cause.message : String(cause)}); free or mend its disk`,
      { cause },
    )
    this.messages = messages
  }
}

export type Journal = {
  /**
   * Numbers, signs and durably writes a decision. Calls must not overlap.
   * @throws {JournalFailedError} when nothing of it is durable yet
   */
  commit(changes: Changes): Promise<readonly SignedMessage[]>
}
