import type { EventStream } from './eventStream.ts'

/**
 * Tells those who watch of kills that changed: each once per turn of the event loop, as it stands then, and never while
 * a kill is on its way to the disk.
 * @param view what is told of a kill; null when it is no longer at hand
 * @param later does something after the present turn
 */
export function createKillWatch(
  stream: Pick<EventStream, 'send' | 'watched'>,
  view: (killId: string) => unknown,
  later: (task: () => void) => void = setImmediate,
): { readonly changed: (killId: string) => void } {
  const waiting = new Set<string>()

  const flush = () => {
    const ids = [...waiting]
    waiting.clear()
    for (const id of ids) {
      const shown = view(id)
      if (shown !== null) stream.send('kill', shown)
    }
  }

  return {
    changed(killId) {
      if (!stream.watched()) return
      if (waiting.size === 0) later(flush)
      waiting.add(killId)
    },
  }
}
