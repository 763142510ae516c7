import { formatSpiffeId, type SpiffeId } from '../../protocol/spiffeId.ts'
import type { Notes } from '../kill/journalPort.ts'
import type { Access, Accesses } from './accesses.ts'

/** Accesses of one commit: a kill waits for at most one such commit. */
const perCommit = 200

/** A report by somebody who is no enforcement point. */
export class ReportRefusedError extends Error {
  override readonly name = 'ReportRefusedError'
  readonly spiffeId: string
  constructor(spiffeId: string) {
    super(`${spiffeId} is not enrolled as an enforcement point; only those report accesses`)
    this.spiffeId = spiffeId
  }
}

/** Takes an enforcement point's report: who accessed what, into the store, the rates and the log. */
export const createReport =
  (options: {
    readonly isPoint: (spiffeId: string) => boolean
    readonly isRegistered: (spiffeId: string) => boolean
    readonly accesses: Pick<Accesses, 'note'>
    readonly note: (notes: Notes) => Promise<void>
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
    const { isPoint, isRegistered, accesses, note, now, onUnreported } = options
    const point = formatSpiffeId(claims.spiffeId)
    if (!isPoint(point)) throw new ReportRefusedError(point)
    accesses.note(batch.filter((access) => isRegistered(access.spiffeId)))
    for (let from = 0; from < batch.length; from += perCommit) {
      const part = batch.slice(from, from + perCommit)
      await note({
        accesses: [{ point, accesses: part }],
        audit: part.map(({ spiffeId, at, method, path, status, outcome, count }) => ({
          action: 'access',
          actor: spiffeId,
          spiffeId,
          time: at,
          detail: { point, method, path, status, outcome, count },
        })),
      })
    }
    if (dropped === 0) return
    onUnreported(dropped)
    await note({
      audit: [
        {
          action: 'accesses not reported',
          actor: point,
          spiffeId: null,
          time: Math.round(now()),
          detail: { point, dropped },
        },
      ],
    })
  }
