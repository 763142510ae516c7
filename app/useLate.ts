import { useEffect } from 'react'
import { useStore } from './data/useStore.ts'
import type { Late } from './late.ts'

/**
 * A part of the page's code that is loaded late; null until it is there. Where it is, it is drawn at once: a lazy
 * component shows its fallback first all the same, and React leaves that standing for 300 ms.
 */
export function useLate<T>(load: Late<T>): T | null {
  useEffect(() => void load(), [load])
  return useStore(load.part)
}
