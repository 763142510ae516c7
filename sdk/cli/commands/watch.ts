import { noMore } from '../arguments.ts'
import type { Command, Context, Outcome } from '../command.ts'
import { eventsOf } from '../eventStream.ts'
import { exitCode } from '../exitCode.ts'
import { OptionError } from '../options.ts'
import { optionsOf } from '../optionTable.ts'
import { printable } from '../printable.ts'
import { conclude, followKill, killById } from '../progress.ts'
import { getKill, RelayerUnreachableError } from '../relayer.ts'
import { integerOf, urlOf } from '../settings.ts'

/** A line per event of `/kills/stream`, until the line breaks, the program is stopped, or the time is up. */
async function watchAll({ say }: Context, relayer: string, wait: number | null): Promise<Outcome> {
  const signal = wait === null ? undefined : AbortSignal.timeout(wait)
  let count = 0
  try {
    for await (const { type, data } of eventsOf(relayer, '/kills/stream', signal)) {
      count++
      say(`${printable(type).padEnd(10)} ${printable(data)}`)
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
  details: '--wait ends it earlier (default: an hour for one kill, no end for all).',
  options: optionsOf(['wait'], { relayer: true }),
  run,
}
