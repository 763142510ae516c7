import { formatSpiffeId, type SpiffeId } from '../../protocol/spiffeId.ts'
import type { Access, Accesses, PointAccess } from './accesses.ts'
import type { AuditFields } from './entry.ts'

/** Accesses of one commit: a kill waits for at most one such commit. */
const perCommit = 100

/** A report by somebody who is no enforcement point. */
export class ReportRefusedError extends Error {
  override readonly name = 'ReportRefusedError'
  readonly spiffeId: string
  constructor(spiffeId: string) {
    super(`${spiffeId} is not enrolled as an enforcement point; only those report accesses`)
    this.spiffeId = spiffeId
  }
}

const accessEntry = (
  point: string,
  { spiffeId, at, method, path, status, outcome, count }: Access,
): AuditFields => ({
  action: 'access',
  actor: spiffeId,
  spiffeId,
  time: at,
  detail: { point, method, path, status, outcome, count },
})

/** The access that an entry of the log tells; null for an entry of another kind. */
export function accessIn(entry: AuditFields): PointAccess | null {
  if (entry.action !== 'access') return null
  const detail = entry.detail as Omit<PointAccess, 'spiffeId' | 'at'>
  return { ...detail, spiffeId: entry.actor, at: entry.time }
}

/** Takes an enforcement point's report: who accessed what, into the log, the rates and what is at hand. */
export const createReport =
  (options: {
    readonly isPoint: (spiffeId: string) => boolean
    readonly isRegistered: (spiffeId: string) => boolean
    readonly accesses: Pick<Accesses, 'note'>
    /** Writes entries into the log, behind what others wait for. */
    readonly append: (entries: readonly AuditFields[]) => Promise<void>
    /** ms */
    readonly now: () => number
    readonly onUnreported: (count: number) => void
  }) =>
  /** @param dropped accesses that the point saw but could not report. @throws {ReportRefusedError} */
  async (
    { claims }: { readonly claims: { readonly spiffeId: SpiffeId } },
    batch: readonly Access[],
    dropped: number,
  ): Promise<void> => {
    const { isPoint, isRegistered, accesses, append, now, onUnreported } = options
    const point = formatSpiffeId(claims.spiffeId)
    if (!isPoint(point)) throw new ReportRefusedError(point)
    accesses.note(
      point,
      batch.filter((access) => isRegistered(access.spiffeId)),
    )
    for (let from = 0; from < batch.length; from += perCommit)
      await append(batch.slice(from, from + perCommit).map((access) => accessEntry(point, access)))
    if (dropped === 0) return
    onUnreported(dropped)
    await append([
      {
        action: 'accesses not reported',
        actor: point,
        spiffeId: null,
        time: Math.round(now()),
        detail: { point, dropped },
      },
    ])
  }
