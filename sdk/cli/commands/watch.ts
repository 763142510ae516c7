import { noMore, reasonText } from '../arguments.ts'
import type { Command, Context, Outcome } from '../command.ts'
import { exitCode } from '../exitCode.ts'
import { OptionError } from '../options.ts'
import { optionsOf } from '../optionTable.ts'
import { printable } from '../printable.ts'
import { conclude, followKill, killById } from '../progress.ts'
import { eventsOf, getKill, isKillView, type KillView, RelayerUnreachableError } from '../relayer.ts'
import { integerOf, urlOf } from '../settings.ts'

/** `09:12:33Z  enforced   Agent 0198…  Owner, compromised: key leaked  2 of 3 points confirmed  kill 5c1e…` */
function lineOf(kill: KillView): string {
  const { scope, label, rank, reason, text, state, points, timeline, id } = kill
  const confirmed = points.filter((point) => point.state === 'confirmed').length
  return printable(
    [
      new Date(timeline.seenAt).toISOString().slice(11, 19).concat('Z'),
      state.padEnd(9),
      `${scope} ${label}`.trim(),
      `${rank}, ${reasonText(reason, text)}`,
      points.length === 0 ? 'no points' : `${confirmed} of ${points.length} points confirmed`,
      `kill ${id}`,
    ].join('  '),
  )
}

function readKill(data: string): KillView | null {
  try {
    const value: unknown = JSON.parse(data)
    return isKillView(value) ? value : null
  } catch {
    return null
  }
}

/**
 * A line per change of a kill, until the line breaks, the program is stopped, or the time is up. With --json a line is
 * the relayer's event as it came.
 */
async function watchAll(context: Context, relayer: string, wait: number | null): Promise<Outcome> {
  const { settings, surroundings, say } = context
  const signal = wait === null ? undefined : AbortSignal.timeout(wait)
  // Each confirmation is an event; not each changes what a line says.
  const said = new Map<string, string>()
  let count = 0
  try {
    for await (const { event, data } of eventsOf(relayer, '/kills/stream', signal)) {
      if (data === '') continue
      count++
      const kill = readKill(data)
      if (settings.has('json')) surroundings.out(`${JSON.stringify({ event, data: kill ?? data })}\n`)
      else if (kill === null) say(`${printable(event).padEnd(10)} ${printable(data)}`)
      else {
        const line = lineOf(kill)
        if (said.get(kill.id) !== line) say(line)
        said.set(kill.id, line)
      }
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error
    return { exitCode: exitCode.done, json: { events: count } }
  }
  throw new RelayerUnreachableError(relayer, 'has ended the stream')
}

async function run(context: Context, args: readonly string[]): Promise<Outcome> {
  noMore(args, 1)
  const { settings, say } = context
  const setting = settings.get('relayer')
  if (setting === undefined)
    throw new OptionError('--relayer', 'is needed: it tells how far kills are enforced')
  const relayer = urlOf(setting)
  const limit = settings.get('wait')
  const wait = limit === undefined ? null : integerOf(limit, 0, 86_400) * 1000
  const [id] = args
  if (id === undefined) return watchAll(context, relayer, wait)
  // A kill that does not exist is refused at once, not waited for.
  await getKill(relayer, id)
  const upTo = wait ?? 3_600_000
  const progress = await followKill(
    context,
    killById(relayer, id),
    upTo,
    ({ timeline, points }) =>
      timeline.finalAt !== null && points.every(({ state }) => state !== 'pending' && state !== 'overdue'),
  )
  return {
    exitCode: conclude(progress, upTo, say),
    json: { killId: id, confirmed: progress.confirmed, kill: progress.kill },
  }
}

export const watchCommand: Command = {
  name: 'watch',
  usage: 'watch [<kill id>]',
  summary: 'follow one kill until it is confirmed and final, or all kills as they come',
  details: `--wait ends it earlier (default: an hour for one kill, no end for all). Of all kills --json prints the relayer's events
as they come, one object per line, and last of all the outcome.`,
  options: optionsOf(['wait'], { relayer: true }),
  run,
}
