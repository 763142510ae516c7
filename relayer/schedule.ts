/** Does something after a number of ms, unless the returned function is called before. */
export type Schedule = (ms: number, action: () => void) => () => void

export const systemSchedule: Schedule = (ms, action) => {
  const timer = setTimeout(action, ms)
  return () => clearTimeout(timer)
}
