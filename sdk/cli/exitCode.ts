/** How the command ends; also in `killswitch --help`. */
export const exitCode = {
  done: 0,
  /** Something broke that this program did not foresee. */
  failed: 1,
  /** An unknown or impossible option, argument, configuration or key file. Nothing was sent. */
  usage: 2,
  /** The contract or the relayer said no. Nothing changed. */
  refused: 3,
  /** The RPC or the relayer could not be reached. */
  unreachable: 4,
  /** The kill is in force, but not every enforcement point confirmed it in time. */
  unconfirmed: 5,
  /** Answered with no at the question. Nothing was sent. */
  cancelled: 6,
} as const
export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

export const exitCodeHelp = `Exit codes:
  0  done
  1  failed in a way that this program did not foresee
  2  unknown or impossible option, argument, configuration or key file; nothing was sent
  3  refused by the contract or the relayer; nothing changed
  4  the RPC or the relayer cannot be reached
  5  the kill is in force, but not every enforcement point has confirmed it in time
  6  cancelled at the question; nothing was sent`
