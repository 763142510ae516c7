import { createStore, type Store } from './store.ts'

/** ms before code that did not come is asked for again */
const pause = 1_000

/** A part of the page's code that is loaded when it is first asked for. */
export type Late<T> = {
  /** Asks for it. The promise is never broken. */
  (): Promise<T>
  /** The part, once it is there; null before. */
  readonly part: Store<T | null>
}

/** A part that comes once. Who serves it may be gone for a while: it is asked for until it comes. */
export function late<T>(load: () => Promise<T>): Late<T> {
  const part = createStore<T | null>(null)
  let loading: Promise<T> | undefined
  const insist = (): Promise<T> =>
    load().catch(() => new Promise((resolve) => setTimeout(resolve, pause)).then(insist))
  const ask = (): Promise<T> => {
    loading ??= insist().then((loaded) => {
      part.set(loaded)
      return loaded
    })
    return loading
  }
  return Object.assign(ask, { part })
}
