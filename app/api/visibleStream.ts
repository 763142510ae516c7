/**
 * Server-sent events while somebody looks: a hidden page lets go of its connection. A browser has six per relayer over
 * HTTP/1.1, for all tabs together, and the one that sends a kill must always find one.
 */
export function openVisibleStream(options: {
  readonly url: string
  readonly events: readonly string[]
  readonly onEvent: (event: string, data: string) => void
  /** Also after each reconnection. */
  readonly onOpen: () => void
  readonly onBreak?: () => void
}): void {
  const { url, events, onEvent, onOpen, onBreak } = options
  let source: EventSource | null = null
  let retry: ReturnType<typeof setTimeout> | undefined

  const close = () => {
    clearTimeout(retry)
    source?.close()
    source = null
  }
  const open = () => {
    if (source !== null) return
    const opened = new EventSource(url)
    source = opened
    opened.onopen = onOpen
    opened.onerror = () => {
      onBreak?.()
      // Chromium gives up on some errors, and waits up to minutes on others.
      close()
      retry = setTimeout(open, 1_000)
    }
    for (const event of events)
      opened.addEventListener(event, (message) => onEvent(event, (message as MessageEvent<string>).data))
  }
  const follow = () => {
    if (document.hidden) close()
    else open()
  }
  document.addEventListener('visibilitychange', follow)
  follow()
}
