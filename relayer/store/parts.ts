/**
 * Rows of one INSERT: reports bring hundreds and back-fills thousands, and a statement for each would hold up the kills
 * behind them.
 */
const rowsPerInsert = 100

/** Rows, in parts of one INSERT each. */
export function* parts<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < rows.length; from += rowsPerInsert) yield rows.slice(from, from + rowsPerInsert)
}
