/** A value that changes, for React's `useSyncExternalStore`. */
export type Store<T> = {
  get(): T
  subscribe(listener: () => void): () => void
}

export type WritableStore<T> = Store<T> & { set(value: T): void }

export function createStore<T>(first: T): WritableStore<T> {
  let value = first
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return
      value = next
      for (const listener of listeners) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
