// By hand: the first use of Intl costs a phone tenths of a second, at the very moment at which the page should answer.

const two = (number: number): string => String(number).padStart(2, '0')
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `12,345`. */
export const whole = (number: number | bigint): string => String(number).replace(/\B(?=(\d{3})+$)/g, ',')

/** Local time of day, to the second: `09:05:07`. @param ms Unix time in ms */
export function clockTime(ms: number): string {
  const at = new Date(ms)
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')
}

/** Local date and time, to the second: `03 Feb 2026, 09:05:07`. @param ms Unix time in ms */
export function dateTime(ms: number): string {
  const at = new Date(ms)
  return `${two(at.getDate())} ${months[at.getMonth()]} ${at.getFullYear()}, ${clockTime(ms)}`
}

/** A duration in the unit that suits its size: `23.4 ms`, `1.52 s`, `3 min 20 s`. @param ms */
export function duration(ms: number): string {
  if (ms < 100) return `${ms.toFixed(1)} ms`
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(2)} s`
  return wholeDuration(ms)
}

/** A duration in whole seconds, for what runs: `42 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. @param ms */
export function wholeDuration(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** How long ago, as short as a table wants it: `now`, `12 s`, `5 min`, `3 h`, `2 d`. @param ms */
export function age(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 1) return 'now'
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** Four significant decimals of an amount of wei, in ether. */
export function ether(wei: bigint): string {
  const value = Number(wei) / 1e18
  return value === 0 ? '0' : value >= 1 ? value.toFixed(3) : value.toPrecision(2)
}

/** `0x1234…abcd`. */
export const shortHex = (hex: string): string =>
  hex.length <= 14 ? hex : `${hex.slice(0, 6)}…${hex.slice(-4)}`

/** `7 agents`, `1 agent`. */
export const count = (number: number, one: string, many = `${one}s`): string =>
  `${whole(number)} ${number === 1 ? one : many}`
