/** One figure as Prometheus reads it. */
export type Metric = {
  readonly name: string
  readonly help: string
  readonly type: 'gauge' | 'counter'
  readonly value: number
}

/** Prometheus text exposition format, version 0.0.4. */
export const renderMetrics = (metrics: readonly Metric[]): string =>
  metrics
    .map(
      ({ name, help, type, value }) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`,
    )
    .join('')
