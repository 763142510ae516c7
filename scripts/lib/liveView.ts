import type { AgentView } from './messages.ts'

/** One line of the fleet: whose it is and how it fares. */
export type FleetLine = AgentView & { readonly wallet: string }

const shapes = {
  running: { shape: '●', word: 'running', color: 32 },
  killed: { shape: '■', word: 'killed', color: 31 },
  failing: { shape: '▲', word: 'failing', color: 33 },
  starting: { shape: '○', word: 'starting', color: 2 },
} as const

const paint = (text: string, color: number, colors: boolean): string =>
  colors ? `\u001b[${color}m${text}\u001b[0m` : text

/** Where lines are cut, so that none breaks and the table keeps its height. Colours count for nothing. */
const cut = (text: string, columns: number): string =>
  text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`

/** A line per agent. The SPIFFE ID stands in full, to be copied into a command. */
export function fleetLines(
  fleet: readonly FleetLine[],
  options: { readonly columns: number; readonly colors: boolean },
): readonly string[] {
  const widest = (of: (line: FleetLine) => string): number =>
    Math.max(...fleet.map((line) => of(line).length), 0)
  const wallet = widest((line) => line.wallet)
  const id = widest((line) => line.spiffeId)
  return fleet.map((line) => {
    const { shape, word, color } = shapes[line.state]
    const state = `${shape} ${word.padEnd(8)}`
    const rest = `  ${line.wallet.padEnd(wallet)}  ${line.spiffeId.padEnd(id)}  ${line.perSecond.toFixed(1).padStart(5)}/s  ${line.last}`
    return `${paint(state, color, options.colors)}${cut(rest, options.columns - state.length)}`.trimEnd()
  })
}

/** What an agent's line says for people who read a log: nothing of the rate, which always changes. */
export const changeLine = ({ wallet, spiffeId, state, last }: FleetLine): string =>
  `${shapes[state].shape} ${shapes[state].word.padEnd(8)}  ${wallet.padEnd(5)}  ${spiffeId}  ${last}`.trimEnd()

/** What of a line is worth a new line in a log. */
const key = ({ state, last }: FleetLine): string => (state === 'running' ? state : `${state} ${last}`)

/** The lines that changed since the last call. */
export function createChangeLog(): (fleet: readonly FleetLine[]) => readonly string[] {
  const before = new Map<string, string>()
  return (fleet) =>
    fleet.flatMap((line) => {
      if (before.get(line.spiffeId) === key(line)) return []
      before.set(line.spiffeId, key(line))
      return [changeLine(line)]
    })
}
