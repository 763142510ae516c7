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

/** What a function makes of another store's value; made once per value. */
export function mapStore<T, U>(store: Store<T>, map: (value: T) => U): Store<U> {
  let from: T = store.get()
  let value = map(from)
  return {
    get() {
      const now = store.get()
      if (!Object.is(now, from)) {
        from = now
        value = map(now)
      }
      return value
    },
    subscribe: store.subscribe,
  }
}
