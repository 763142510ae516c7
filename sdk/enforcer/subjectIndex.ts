import { type SvidClaims, svidTargets } from '../../protocol/revocation.ts'
import { type Target, targetKey } from '../../protocol/scope.ts'

export type SubjectIndex<T> = {
  add(claims: SvidClaims, item: T): void
  remove(claims: SvidClaims, item: T): void
  /** What a kill of this target could cover: costs what it returns, not what is held. */
  under(target: Target): readonly T[]
  all(): Iterable<T>
  readonly size: number
}

/** Keeps items by the subjects of their SVID. */
export function createSubjectIndex<T>(): SubjectIndex<T> {
  const everything = new Set<T>()
  const bySubject = new Map<string, Set<T>>()
  return {
    add(claims, item) {
      everything.add(item)
      for (const key of svidTargets(claims).map(targetKey)) {
        const items = bySubject.get(key)
        if (items === undefined) bySubject.set(key, new Set([item]))
        else items.add(item)
      }
    },
    remove(claims, item) {
      everything.delete(item)
      for (const key of svidTargets(claims).map(targetKey)) {
        const items = bySubject.get(key)
        items?.delete(item)
        if (items?.size === 0) bySubject.delete(key)
      }
    },
    under: (target) => [...(bySubject.get(targetKey(target)) ?? [])],
    all: () => everything,
    get size() {
      return everything.size
    },
  }
}
