import { useRef } from 'react'

/** Whether two values hold the same, two levels deep: what an entry of a list is made of. */
function isSame(a: object, b: object, depth = 1): boolean {
  const [left, right] = [Object.entries(a), Object.entries(b)]
  return (
    left.length === right.length &&
    left.every(([name, value]) => {
      const other = (b as Record<string, unknown>)[name]
      if (Object.is(value, other)) return true
      const areObjects =
        typeof value === 'object' && typeof other === 'object' && value !== null && other !== null
      return depth > 0 && areObjects && isSame(value, other, depth - 1)
    })
  )
}

/** Puts earlier objects in the place of new ones that hold the same, so that what draws them need not draw them again. */
export function keep<T extends object>(
  earlier: ReadonlyMap<string, T>,
  list: readonly T[],
  keyOf: (one: T) => string,
): readonly T[] {
  return list.map((one) => {
    const had = earlier.get(keyOf(one))
    return had !== undefined && isSame(had, one) ? had : one
  })
}

/** A list whose entries stay the same objects while they hold the same. */
export function useKept<T extends object>(list: readonly T[], keyOf: (one: T) => string): readonly T[] {
  const earlier = useRef<ReadonlyMap<string, T>>(new Map())
  const kept = keep(earlier.current, list, keyOf)
  earlier.current = new Map(kept.map((one) => [keyOf(one), one]))
  return kept
}
