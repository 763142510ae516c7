import { type RefObject, startTransition, useEffect, useLayoutEffect, useState } from 'react'

/** Rows that are drawn beyond the edges of the window. */
const margin = 12
/** Shorter lists are drawn whole. */
const longList = 150
/** ms that a new table draws no more than a window shows: what a page first learns comes in several pieces. */
const settling = 1_000
/** Least height of a row, and of a card on narrow screens, in px. */
const leastRow = 32
const leastCard = 100
/** Guess before the first row is measured, in px. */
const guess = 44

export type VisibleRows = {
  readonly from: number
  readonly to: number
  /** Heights of what is left out above and below, in px. */
  readonly above: number
  readonly below: number
}

/** How many rows a window shows at most. */
const inWindow = (): number =>
  Math.ceil(window.innerHeight / (matchMedia('(max-width: 48rem)').matches ? leastCard : leastRow))

/**
 * Which rows are drawn. Of a long list those in the window: all rows are as high as the first. Of a shorter one all; those
 * that no window shows yet come a moment after the first, in turns that let a phone do other things in between.
 */
export function useVisibleRows(body: RefObject<HTMLElement | null>, count: number): VisibleRows {
  const [range, setRange] = useState({ from: 0, to: Math.min(count, longList), height: guess })
  const [isWhole, setWhole] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => startTransition(() => setWhole(true)), settling)
    return () => clearTimeout(timer)
  }, [])
  useLayoutEffect(() => {
    if (count <= longList) return
    const look = () => {
      const element = body.current
      if (element === null) return
      const row = element.querySelector('tr[data-row]')
      const height = row === null || row.clientHeight === 0 ? guess : row.getBoundingClientRect().height
      const top = element.getBoundingClientRect().top
      const first = Math.floor(-top / height) - margin
      const from = Math.min(Math.max(0, first), count)
      const to = Math.min(count, Math.max(0, first) + Math.ceil(window.innerHeight / height) + 2 * margin)
      setRange((was) =>
        was.from === from && was.to === to && was.height === height ? was : { from, to, height },
      )
    }
    look()
    window.addEventListener('scroll', look, { passive: true })
    window.addEventListener('resize', look)
    return () => {
      window.removeEventListener('scroll', look)
      window.removeEventListener('resize', look)
    }
  }, [body, count])
  if (count <= longList)
    return { from: 0, to: isWhole ? count : Math.min(count, inWindow()), above: 0, below: 0 }
  const { from, height } = range
  const to = Math.min(range.to, count)
  return { from, to, above: from * height, below: Math.max(0, count - to) * height }
}
