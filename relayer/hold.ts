/** Keeps what is not urgent from being begun, for moments. */
export type Hold = {
  isOn(): boolean
  /** Does something when the event loop has turned and nothing is held up. */
  later(task: () => void): void
}

export const noHold: Hold = { isOn: () => false, later: (task) => void setImmediate(task) }
