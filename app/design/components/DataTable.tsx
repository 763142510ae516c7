import { memo, type ReactNode, useRef } from 'react'
import styles from './DataTable.module.css'
import { useVisibleRows } from './useVisibleRows.ts'

export type Column<Row> = {
  readonly name: string
  readonly cell: (row: Row) => ReactNode
  /** Figures stand at the right. */
  readonly figures?: boolean
  /** Takes what the others leave. */
  readonly wide?: boolean
  /** Long words go over several lines. */
  readonly wraps?: boolean
  /** On narrow screens: beside the first column, below with its name, or not at all. */
  readonly narrow?: 'beside' | 'below' | 'never'
  /** The heading is for screen readers only. */
  readonly unnamed?: boolean
}

/** Drawn anew only with another row or other columns: a page learns of many things that change few of its rows. */
const TableRow = memo(function TableRow(props: {
  readonly row: unknown
  readonly columns: readonly Column<never>[]
  readonly isKilled: boolean | undefined
  /** Counted from 1, the head included. */
  readonly place: number
}) {
  const { row, columns, isKilled, place } = props
  return (
    <tr data-row className={styles.row} data-killed={isKilled} aria-rowindex={place}>
      {columns.map((column) => (
        <td
          key={column.name}
          data-figures={column.figures}
          data-wide={column.wide}
          data-wraps={column.wraps}
          data-narrow={column.narrow ?? 'below'}
          data-name={column.unnamed === true ? '' : column.name}
        >
          {column.cell(row as never)}
        </td>
      ))}
    </tr>
  )
})

/** A dense, quiet table; on narrow screens each row is a card. Long ones draw only what is in the window. */
export function DataTable<Row>(props: {
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** Rows to draw attention to. */
  readonly isKilled?: (row: Row) => boolean
  readonly dense?: boolean
}) {
  const { caption, columns, rows, keyOf, isKilled, dense = false } = props
  const body = useRef<HTMLTableSectionElement>(null)
  const { from, to, above, below } = useVisibleRows(body, rows.length)
  return (
    <table className={styles.table} data-dense={dense} aria-rowcount={rows.length + 1}>
      <caption className={styles.unseen}>{caption}</caption>
      <thead className={styles.head}>
        <tr aria-rowindex={1}>
          {columns.map((column) => (
            <th key={column.name} scope="col" data-figures={column.figures} data-wide={column.wide}>
              {column.unnamed === true ? <span className={styles.unseen}>{column.name}</span> : column.name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        {above > 0 ? (
          <tr className={styles.gap}>
            <td style={{ height: above }} colSpan={columns.length} />
          </tr>
        ) : null}
        {rows.slice(from, to).map((row, index) => (
          <TableRow
            key={keyOf(row)}
            row={row}
            columns={columns}
            isKilled={isKilled?.(row)}
            place={from + index + 2}
          />
        ))}
        {below > 0 ? (
          <tr className={styles.gap}>
            <td style={{ height: below }} colSpan={columns.length} />
          </tr>
        ) : null}
      </tbody>
    </table>
  )
}
