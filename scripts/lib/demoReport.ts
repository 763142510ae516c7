import type { DemoVerdict } from './judgeDemo.ts'

const ms = (time: number | null): string => (time === null ? 'never' : `${time.toFixed(1)} ms`)

/** A verdict for people. */
export function demoReport(
  { kills, failures }: DemoVerdict<string>,
  run: { readonly bystanders: number; readonly enforcers: number },
): string {
  const rows = Object.entries(kills).map(([name, kill]) => [
    name,
    String(kill.agents),
    ms(kill.seenToDurableMs),
    ms(kill.seenToLastAcceptedMs),
    ms(kill.seenToConfirmedMs),
    kill.ok ? 'ok' : 'FAILED',
  ])
  const head = ['kill by', 'agents', 'durable', 'last accepted', 'confirmed', '']
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [
    '',
    'from the first sight of the kill:',
    '',
    line(head),
    ...rows.map(line),
    '',
    failures.length === 0
      ? `${run.bystanders} agents of the second wallet were served by ${run.enforcers} enforcers throughout.`
      : failures.map((failure) => `FAILED  ${failure}`).join('\n'),
  ].join('\n')
}
