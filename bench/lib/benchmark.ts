import type { DataFolder } from '../../scripts/lib/dataFolder.ts'

/** A published figure and what is demanded of it. */
export type FigureSpec = {
  /** What it measures, as the report says it. */
  readonly text: string
  readonly unit: string
  /** Whether less or more is wanted; needed for figures with a floor. */
  readonly better?: 'less' | 'more'
  /** `--check` fails beyond it. */
  readonly floor?: number
  readonly aim?: number
}

export type FigureSpecs = Readonly<Record<string, FigureSpec>>

/** What a benchmark, or one run of it, works with. */
export type Bench = {
  /** To try it out: a tenth of the size, where size matters. */
  readonly small: boolean
  /** Removed at its end. */
  readonly data: DataFolder
  readonly say: (text: string) => void
  /** Undone at its end, the last first, also when it fails. */
  readonly defer: (end: () => Promise<void> | void) => void
}

/** The figures of one run; one that is left out could not be had, and `say` has told why. */
export type RunOnce = (run: Bench) => Promise<Readonly<Record<string, number>>>

/** Measures one or several published figures. */
export type Benchmark = {
  readonly about: string
  /** How many runs there are unless told otherwise. */
  readonly runs: number
  readonly figures: FigureSpecs
  /** Makes, once, what is dear to make and the same for every run. */
  readonly prepare: (bench: Bench) => Promise<RunOnce>
}
