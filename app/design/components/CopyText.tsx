import { useEffect, useState } from 'react'
import styles from './CopyText.module.css'

export type Piece = { readonly text: string; readonly mayBeCut: boolean }

/** How many characters at the end are never cut. */
const tail = 8

/** A text as its head, which may be cut, and its end, which is not. */
export const headAndTail = (text: string): readonly Piece[] => {
  const cut = Math.max(0, text.length - tail)
  return [
    { text: text.slice(0, cut), mayBeCut: true },
    { text: text.slice(cut), mayBeCut: false },
  ]
}

/** A long identifier in tabular figures, shortened in its middle: whole on hover, for screen readers, and when copied. */
export function CopyText(props: {
  readonly text: string
  /** What is shown of it, in pieces; those that may be cut lose their ends. Without: all, its last eight characters kept. */
  readonly pieces?: readonly Piece[]
  readonly what?: string
  /** Where it leads. */
  readonly href?: string
}) {
  const { text, pieces = headAndTail(text), what = 'it', href } = props
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1_500)
    return () => clearTimeout(timer)
  }, [copied])
  const parts = pieces.map((piece, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces never change places.
    <span key={index} className={piece.mayBeCut ? styles.cut : styles.kept}>
      {piece.text}
    </span>
  ))
  return (
    <span className={styles.copy}>
      {href === undefined ? (
        <span className={styles.text} title={text}>
          {parts}
        </span>
      ) : (
        <a className={styles.text} title={text} href={href}>
          {parts}
        </a>
      )}
      <button
        type="button"
        className={styles.button}
        aria-label={`Copy ${what}`}
        onClick={(event) => {
          event.stopPropagation()
          void navigator.clipboard.writeText(text).then(() => setCopied(true))
        }}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          {copied ? <path d="m3 8.5 3.2 3.2L13 5" /> : <path d="M5.5 5.5h7v7h-7zM3.5 10.5v-7h7" />}
        </svg>
      </button>
      <span className={styles.said} role="status">
        {copied ? 'Copied' : ''}
      </span>
    </span>
  )
}
