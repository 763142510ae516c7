// Preloaded into a relayer (`node --import`): writes down every answer just before it is sent, in a file that
// recordDisk.c watches, so that the record of the disk says what was promised when.
import { openSync, writeSync } from 'node:fs'
import { ServerResponse } from 'node:http'
import process from 'node:process'

const descriptor = openSync(process.env.KILLSWITCH_ACKNOWLEDGEMENTS as string, 'a')

function noteBefore(method: 'write' | 'end'): void {
  const original = ServerResponse.prototype[method] as (...args: unknown[]) => unknown
  ServerResponse.prototype[method] = function (this: ServerResponse, ...args: unknown[]) {
    const [body] = args
    const text =
      typeof body === 'string' ? body : body instanceof Uint8Array ? Buffer.from(body).toString() : ''
    writeSync(descriptor, `${JSON.stringify({ status: this.statusCode, url: this.req.url, text })}\n`)
    return original.apply(this, args)
  } as never
}

noteBefore('write')
noteBefore('end')
