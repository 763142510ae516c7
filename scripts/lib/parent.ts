import process from 'node:process'

/** Says something to the process that started this one. */
export function tellParent<M extends { readonly type: string }>(message: M): void {
  if (process.connected) process.send?.(message)
}

/** Calls a listener for every message of a type. */
export function onParent<M extends { readonly type: string }>(
  type: M['type'],
  listener: (message: M) => void,
): void {
  process.on('message', (message: M) => {
    if (message.type === type) listener(message)
  })
}

/** What goes to the log of a child: one JSON line each, on stderr. */
export const childLog = {
  info: (): void => {},
  warn: (values: object, message: string): void => {
    process.stderr.write(`${JSON.stringify({ ...values, msg: message })}\n`)
  },
}
