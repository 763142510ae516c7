/** ms that one task may take: a quarter of what a slow phone may be deaf for. */
const turn = 8

/** Lets the browser do something else, such as take a press. */
export const pause = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })

/** To be asked now and then by long work: goes on at once, or after a pause where this turn has taken long enough. */
export function inTurns(): () => Promise<void> | undefined {
  let began = performance.now()
  return () => {
    if (performance.now() - began < turn) return undefined
    return pause().then(() => {
      began = performance.now()
    })
  }
}
