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

/** One run of a benchmark: everything of it is gone when it ends. */
export type BenchRun = {
  /** From 1. */
  readonly number: number
  /** Of this run alone; removed with it. */
  readonly data: DataFolder
  /** Of the whole benchmark: what is dear to make and the same for every run. */
  readonly shared: string
  readonly say: (text: string) => void
  /** Undone at the end of the run, the last first, also when it fails. */
  readonly defer: (end: () => Promise<void> | void) => void
}

/** Measures one or several published figures. */
export type Benchmark<Name extends string = string> = {
  readonly about: string
  /** How many runs there are unless told otherwise. */
  readonly runs: number
  readonly figures: Readonly<Record<Name, FigureSpec>>
  /** The figures of one run; one that is left out could not be had, and `say` has told why. */
  readonly run: (run: BenchRun) => Promise<Partial<Record<Name, number>>>
}
