/** Keeps what is not urgent from being begun, for moments. */
export type Hold = {
  isOn(): boolean
  /** ms for which it was on so far. */
  total(): number
  /** Does something when the event loop has turned and nothing is held up. */
  later(task: () => void): void
}

export const noHold: Hold = {
  isOn: () => false,
  total: () => 0,
  later: (task) => void setImmediate(task),
}
