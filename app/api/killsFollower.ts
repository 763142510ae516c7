import { createStore, type Store } from '../store.ts'
import type { Kill, RelayerApi } from './relayerApi.ts'
import { openVisibleStream } from './visibleStream.ts'

/** Kills as the relayer tells them, newest first; unsigned. */
export type KillsView = {
  readonly kills: readonly Kill[]
  /** Whether the list was ever read. */
  readonly isRead: boolean
  /** Whether the list was read since the stream opened; otherwise it may be old. */
  readonly live: boolean
  readonly error: unknown
}

export type KillsFollower = {
  readonly view: Store<KillsView>
  /** Reads the kill, and the list if the kill is not named, now. */
  refresh(id?: string): Promise<void>
  /** Follows for as long as the page lives. */
  start(): void
}

/** How many are shown. */
const shown = 200

export function createKillsFollower(api: Pick<RelayerApi, 'url' | 'kills' | 'kill'>): KillsFollower {
  const view = createStore<KillsView>({ kills: [], isRead: false, live: false, error: null })

  const put = (kill: Kill) => {
    const { kills } = view.get()
    const at = kills.findIndex((one) => one.id === kill.id)
    const next = at < 0 ? [kill, ...kills].slice(0, shown) : kills.with(at, kill)
    view.set({ ...view.get(), kills: next })
  }

  const refresh = async (id?: string): Promise<void> => {
    try {
      if (id === undefined) view.set({ kills: await api.kills(shown), isRead: true, live: true, error: null })
      else put(await api.kill(id))
    } catch (error) {
      view.set({ ...view.get(), error, live: false })
    }
  }

  return {
    view,
    refresh,
    start() {
      openVisibleStream({
        url: `${api.url}/kills/stream`,
        events: ['kill'],
        onOpen: () => void refresh(),
        onBreak() {
          view.set({ ...view.get(), live: false })
          // Says why, where there is nothing to show meanwhile.
          if (!view.get().isRead) void refresh()
        },
        onEvent: (_, data) => put(JSON.parse(data) as Kill),
      })
    },
  }
}
