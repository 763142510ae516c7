import { CliError } from './cliError.ts'
import type { Context } from './command.ts'
import { millisecondsText } from './duration.ts'
import { type ExitCode, exitCode } from './exitCode.ts'
import { printable } from './printable.ts'
import { findKill, getKill, type KillView, type PointView, RelayerUnreachableError } from './relayer.ts'

const isSettled = ({ state }: { readonly state: string }): boolean =>
  state === 'confirmed' || state === 'closed by staleness'

/** What a watch found out: the last view of the kill, and whether every enforcement point has settled. */
export type Progress = { readonly kill: KillView | null; readonly confirmed: boolean }

/**
 * Follows a kill at its relayer, saying each step once, until every enforcement point has settled or the time is up.
 * A relayer that stops answering is asked again until then: the kill itself is in force.
 * @param find the kill, or undefined while the relayer has not seen it
 * @param wait in ms
 * @param done when to stop; by default once every point has settled
 */
export async function followKill(
  { surroundings, say }: Context,
  find: () => Promise<KillView | undefined>,
  wait: number,
  done: (kill: KillView) => boolean = (kill) => kill.points.every(isSettled),
): Promise<Progress> {
  const begun = surroundings.now()
  const said = new Set<string>()
  const sayOnce = (line: string) => {
    if (!said.has(line)) say(line)
    said.add(line)
  }
  let kill: KillView | undefined
  for (;;) {
    try {
      kill = (await find()) ?? kill
    } catch (error) {
      // A 404 right after a 202 is a relayer behind a load balancer; like silence, it may pass.
      if (!(error instanceof CliError)) throw error
      if (error instanceof RelayerUnreachableError) sayOnce(`warning    ${error.message}`)
    }
    if (kill !== undefined) {
      for (const line of linesOf(kill)) sayOnce(line)
      if (done(kill)) break
    }
    const waited = surroundings.now() - begun
    if (waited >= wait) break
    // Confirmations come within tens of milliseconds, stragglers after seconds.
    await surroundings.sleep(Math.min(waited < 2000 ? 25 : 250, wait - waited))
  }
  return { kill: kill ?? null, confirmed: kill?.points.every(isSettled) ?? false }
}

/** ms from first sight to confirmation. */
const afterOf = ({ confirmedAfter, confirmedAt }: PointView, seenAt: number): number =>
  confirmedAfter ?? (confirmedAt ?? seenAt) - seenAt

/** The steps that a kill has taken, in order; times from its first sight by the relayer. */
function linesOf({ timeline, points }: KillView): readonly string[] {
  const since = (time: number) => millisecondsText(time - timeline.seenAt)
  const lines: string[] = []
  if (timeline.durableAt !== null) lines.push(`durable    after ${since(timeline.durableAt)}`)
  if (timeline.publishedAt !== null) lines.push(`published  after ${since(timeline.publishedAt)}`)
  for (const point of points) {
    if (point.state === 'confirmed') {
      lines.push(
        `confirmed  ${printable(point.spiffeId)}  after ${millisecondsText(afterOf(point, timeline.seenAt))}`,
      )
    } else if (point.state !== 'pending') lines.push(`${point.state.padEnd(9)}  ${printable(point.spiffeId)}`)
  }
  if (timeline.onChainAt !== null) {
    const hash = timeline.txHash === null ? '' : `  transaction ${printable(timeline.txHash)}`
    lines.push(`on chain   after ${since(timeline.onChainAt)}${hash}`)
  }
  if (timeline.sendError != null && timeline.onChainAt === null)
    lines.push(`warning    the relayer could not put it on chain yet: ${printable(timeline.sendError)}`)
  if (timeline.withdrawnAt != null) lines.push(`withdrawn  after ${since(timeline.withdrawnAt)}`)
  if (timeline.finalAt !== null) lines.push(`final      after ${since(timeline.finalAt)}`)
  return lines
}

export const killById = (relayer: string, id: string) => () => getKill(relayer, id)

export const killByTransaction = (relayer: string, txHash: string) => () => findKill(relayer, txHash)

/** The last line of a kill, and how the command ends. */
export function conclude({ kill, confirmed }: Progress, wait: number, say: (line: string) => void): ExitCode {
  if (kill === null) {
    say(`The relayer has not shown this kill within ${wait / 1000} s; its enforcement is not confirmed.`)
    return exitCode.unconfirmed
  }
  const settled = kill.points.filter(isSettled)
  if (!confirmed) {
    const open = kill.points.filter((point) => !isSettled(point)).map((point) => printable(point.spiffeId))
    say(
      `In force; not confirmed after ${wait / 1000} s by ${open.join(', ')}. More: killswitch watch ${printable(kill.id)}`,
    )
    return exitCode.unconfirmed
  }
  if (settled.length === 0) {
    say('In force. The relayer knows no enforcement point, so nobody has confirmed it.')
    return exitCode.done
  }
  const last = Math.max(...settled.map((point) => afterOf(point, kill.timeline.seenAt)))
  const points = settled.length === 1 ? 'the 1 enforcement point' : `all ${settled.length} enforcement points`
  const stale = settled.filter((point) => point.state !== 'confirmed').length
  const note = stale === 0 ? '' : ` (${stale} by staleness: without a fresh feed a point denies everything)`
  say(`Stopped: confirmed by ${points} after ${millisecondsText(last)}${note}.`)
  return exitCode.done
}
