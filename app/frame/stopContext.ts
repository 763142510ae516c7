import { createContext, useContext } from 'react'

/** The one agent that is to be stopped; null for a whole wallet. */
export type StopSubject = { readonly uuid: string; readonly spiffeId: string; readonly owner: `0x${string}` }

export type StopControl = {
  /** Opens the stop: its progress while one is under way, else the question what to stop. */
  open(subject: StopSubject | null): void
  /** Shows the progress of the latest stop, also when it is over. */
  showProgress(): void
  readonly isOpen: boolean
}

export const StopContext = createContext<StopControl>({
  open: () => {},
  showProgress: () => {},
  isOpen: false,
})

export const useStop = (): StopControl => useContext(StopContext)
