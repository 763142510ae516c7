import { spawn } from 'node:child_process'
import path from 'node:path'

export type ChainNode = {
  readonly httpUrl: string
  readonly wsUrl: string
  readonly port: number
  request<T = unknown>(method: string, params?: readonly unknown[]): Promise<T>
  stop(): Promise<void>
}

const anvil = path.resolve(import.meta.dirname, '../../node_modules/.bin/anvil')

/** A real node on a free port, mining a block per transaction unless told otherwise. */
export async function startAnvil(...args: readonly string[]): Promise<ChainNode> {
  const child = spawn(anvil, ['--port', '0', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const port = await new Promise<number>((resolve, reject) => {
    let output = ''
    const read = (text: string) => {
      output += text
      const match = /Listening on 127\.0\.0\.1:(\d+)/.exec(output)
      if (match !== null) resolve(Number(match[1]))
    }
    child.stdout.setEncoding('utf8').on('data', read)
    child.stderr.setEncoding('utf8').on('data', read)
    child.once('error', reject)
    child.once('close', () => reject(new Error(`anvil ended: ${output}`)))
  })
  return {
    ...nodeAt(port),
    async stop() {
      // Not SIGKILL: npm's wrapper passes only SIGTERM and SIGINT on to the node itself.
      child.kill('SIGTERM')
      await ended
    },
  }
}

export const nodeAt = (port: number): Omit<ChainNode, 'stop'> => ({
  port,
  httpUrl: `http://127.0.0.1:${port}`,
  wsUrl: `ws://127.0.0.1:${port}`,
  async request<T>(method: string, params: readonly unknown[] = []) {
    const response = await fetch(`http://127.0.0.1:${port}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const { result, error } = (await response.json()) as { result: T; error?: { message: string } }
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result
  },
})
