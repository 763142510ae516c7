import type { AgentView } from './messages.ts'

/** One line of the fleet: whose it is and how it fares. */
export type FleetLine = AgentView & { readonly wallet: string }

const shapes = {
  running: { shape: '●', word: 'running', color: 32 },
  killed: { shape: '■', word: 'killed', color: 31 },
  failing: { shape: '▲', word: 'failing', color: 33 },
  starting: { shape: '○', word: 'starting', color: 2 },
} as const

/** Of shape and word. */
const stateWidth = 10

const paint = (text: string, color: number, colors: boolean): string =>
  colors ? `\u001b[${color}m${text}\u001b[0m` : text

/** Where lines are cut, so that none breaks and the table keeps its height. Colours count for nothing. */
const cut = (text: string, columns: number): string =>
  text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`

/** `spiffe://killswitch.local/trader/4ac6855e-…` → `trader/4ac6855e`. */
const shortId = (spiffeId: string): string =>
  spiffeId.replace(/^spiffe:\/\/[^/]*\//, '').replace(/(\/[^-]*)-.*$/, '$1')

/** A line per agent. SPIFFE IDs stand in full, to be copied into a command, where the terminal is wide enough. */
export function fleetLines(
  fleet: readonly FleetLine[],
  options: { readonly columns: number; readonly colors: boolean },
): readonly string[] {
  const widest = (texts: readonly string[]): number => Math.max(...texts.map((text) => text.length), 0)
  const wallet = widest(fleet.map((line) => line.wallet))
  const layOut = (ids: readonly string[]) =>
    fleet.map((line, index) => ({
      line,
      rest: `  ${line.wallet.padEnd(wallet)}  ${(ids[index] ?? '').padEnd(widest(ids))}  ${line.perSecond.toFixed(1).padStart(5)}/s  ${line.last}`,
    }))
  const room = options.columns - stateWidth
  const full = layOut(fleet.map((line) => line.spiffeId))
  const fits = widest(full.map(({ rest }) => rest)) <= room
  return (fits ? full : layOut(fleet.map((line) => shortId(line.spiffeId)))).map(({ line, rest }) => {
    const { shape, word, color } = shapes[line.state]
    const state = `${shape} ${word.padEnd(stateWidth - 2)}`
    return `${paint(state, color, options.colors)}${cut(rest, room)}`.trimEnd()
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
