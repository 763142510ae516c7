import type { FigureSpec, FigureSpecs } from './benchmark.ts'
import { median } from './statistics.ts'

/** A figure over all runs. */
export type Figure = FigureSpec & {
  readonly median: number
  /** The spread over the runs. */
  readonly least: number
  readonly most: number
  readonly values: readonly number[]
  /** Null without a floor. */
  readonly meetsFloor: boolean | null
  readonly meetsAim: boolean | null
}

const meets = (value: number, limit: number | undefined, better: FigureSpec['better']): boolean | null => {
  if (limit === undefined) return null
  // A figure that could not be had meets nothing.
  return better === 'more' ? value >= limit : value <= limit
}

/** What the runs say together; the median is judged. */
export function summarise(
  specs: FigureSpecs,
  runs: readonly Readonly<Record<string, number | undefined>>[],
): Readonly<Record<string, Figure>> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => {
      const values = runs.flatMap((run) => run[name] ?? [])
      const middle = median(values)
      return [
        name,
        {
          ...spec,
          median: middle,
          least: Math.min(...values),
          most: Math.max(...values),
          values,
          meetsFloor: meets(middle, spec.floor, spec.better),
          meetsAim: meets(middle, spec.aim, spec.better),
        },
      ]
    }),
  )
}

/** Three significant digits, or whole; thousands apart. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return 'not had'
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
  return rounded.toLocaleString('en-GB', { maximumFractionDigits: 6 })
}

const verdict = ({ floor, aim, unit, meetsFloor, meetsAim }: Figure): string => {
  if (floor === undefined) return ''
  const floorText = `floor ${shown(floor)} ${unit} ${meetsFloor ? 'met' : 'MISSED'}`
  return aim === undefined
    ? floorText
    : `${floorText}, aim ${shown(aim)} ${unit} ${meetsAim ? 'met' : 'not yet'}`
}

/** One line per figure: median, spread, and how it stands to floor and aim. */
export function figureLines(figures: Readonly<Record<string, Figure>>): readonly string[] {
  const all = Object.values(figures)
  const cells = all.map((figure) => [
    figure.text,
    `${shown(figure.median)} ${figure.unit}`,
    figure.values.length > 1 ? `(${shown(figure.least)} to ${shown(figure.most)})` : '',
    verdict(figure),
  ])
  const widths = [0, 1, 2].map((column) => Math.max(0, ...cells.map((row) => (row[column] ?? '').length)))
  return cells.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  )
}

/** What `--check` complains of. */
export const missedFloors = (
  benchmark: string,
  figures: Readonly<Record<string, Figure>>,
): readonly string[] =>
  Object.values(figures)
    .filter(({ meetsFloor }) => meetsFloor === false)
    .map(
      ({ text, median: had, unit, floor }) =>
        `${benchmark}: ${text} is ${shown(had)} ${unit}, the floor is ${shown(floor ?? Number.NaN)} ${unit}`,
    )
