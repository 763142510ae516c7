/** ms before code that did not come is asked for again */
const pause = 1_000

/**
 * A part of the page's code that is loaded when it is first asked for. Who serves it may be gone for a while: it is asked
 * for until it comes, so the promise is never broken, and it comes once.
 */
export function late<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined
  const insist = (): Promise<T> =>
    load().catch(() => new Promise((resolve) => setTimeout(resolve, pause)).then(insist))
  return () => {
    loading ??= insist()
    return loading
  }
}
