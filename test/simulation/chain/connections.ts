import type { ChainLog } from '../../../relayer/chain/chainLog.ts'
import { type Rpc, rpcTimeout } from '../../../relayer/chain/rpc/rpc.ts'
import { resultOf } from '../../../relayer/chain/rpc/rpcAnswer.ts'
import { RpcUnavailableError } from '../../../relayer/chain/rpc/rpcErrors.ts'
import { createSocketRpc } from '../../../relayer/chain/rpc/socketRpc.ts'
import type { Clock } from '../../../relayer/clock.ts'
import type { Schedule } from '../../../relayer/schedule.ts'
import type { Random } from '../random.ts'
import type { After } from '../time.ts'
import { type ChainNode, NodeError } from './node.ts'

/** How relayers reach the nodes. */
export type Network = {
  /** Opens a connection for one relayer, whose timers die with it. */
  connect(
    url: string,
    owner: { readonly clock: Clock; readonly schedule: Schedule; readonly log: ChainLog },
  ): Rpc
  /** Closes every socket to a node. */
  closeSockets(node: ChainNode): void
  /** Leaves every socket to a node half open: it looks alive and carries nothing any more. */
  muteSockets(node: ChainNode): void
}

type Socket = {
  onopen: (() => void) | null
  onmessage: ((event: { readonly data: string }) => void) | null
  onclose: (() => void) | null
  onerror: (() => void) | null
  send(text: string): void
  close(): void
}
type Link = { readonly node: ChainNode; mute: boolean; fail(): void }

/** ms */
const latency = { least: 2, most: 60 }

/**
 * `ws:` addresses are served to the real socket client over a made-up WebSocket; `http:` ones by a client of our own,
 * since the real one does nothing but call `fetch`.
 */
export function createNetwork(options: {
  /** By host name. */
  readonly nodes: ReadonlyMap<string, ChainNode>
  readonly after: After
  readonly now: () => number
  readonly random: Random
}): Network {
  const { nodes, after, now, random } = options
  const links = new Set<Link>()

  const nodeAt = (url: string): ChainNode => {
    const node = nodes.get(new URL(url).hostname)
    if (node === undefined) throw new RangeError(`there is no node at ${url}`)
    return node
  }
  const travel = () => random.between(latency.least, latency.most)

  /** What a node answers, as JSON-RPC has it. */
  const answerOf = (node: ChainNode, method: string, params: readonly unknown[]): object => {
    try {
      return { result: node.answer(method, params) }
    } catch (error) {
      if (!(error instanceof NodeError)) throw error
      return { error: { code: error.code, message: error.message } }
    }
  }

  const openSocket = (url: string): Socket => {
    const node = nodeAt(url)
    let state: 'connecting' | 'open' | 'closed' = 'connecting'
    let stopHeads = () => {}
    let lastArrival = 0
    const link: Link = {
      node,
      mute: false,
      fail() {
        if (state === 'closed') return
        close()
        socket.onclose?.()
      },
    }
    const close = () => {
      state = 'closed'
      stopHeads()
      links.delete(link)
    }
    /** In order, as TCP has it. */
    const toClient = (message: object) => {
      lastArrival = Math.max(now() + travel(), lastArrival)
      after(lastArrival - now(), () => {
        if (state === 'open' && !link.mute) socket.onmessage?.({ data: JSON.stringify(message) })
      })
    }
    const socket: Socket = {
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
      send(text) {
        const { id, method, params } = JSON.parse(text) as { id: number; method: string; params: unknown[] }
        after(travel(), () => {
          if (state !== 'open' || link.mute || node.faults.hangs) return
          if (method !== 'eth_subscribe') return toClient({ id, ...answerOf(node, method, params) })
          toClient({ id, result: '0x1' })
          stopHeads()
          stopHeads = node.onHead((header) =>
            toClient({ method: 'eth_subscription', params: { subscription: '0x1', result: header } }),
          )
        })
      },
      close,
    }
    links.add(link)
    after(travel(), () => {
      if (state !== 'connecting' || node.faults.hangs) return
      if (node.faults.down) {
        close()
        socket.onerror?.()
        return
      }
      state = 'open'
      socket.onopen?.()
    })
    return socket
  }

  const createPlainRpc = (url: string, schedule: Schedule): Rpc => {
    const node = nodeAt(url)
    let closed = false
    return {
      url,
      request: (method, params, timeout = rpcTimeout) =>
        new Promise((resolve, reject) => {
          const cancel = schedule(timeout, () =>
            reject(new RpcUnavailableError(url, method, `no answer within ${timeout} ms`)),
          )
          schedule(travel(), () => {
            if (node.faults.hangs || closed) return
            if (node.faults.down) {
              cancel()
              reject(new RpcUnavailableError(url, method, 'connection refused'))
              return
            }
            const answer = answerOf(node, method, params)
            schedule(travel(), () => {
              cancel()
              try {
                resolve(resultOf(url, method, answer))
              } catch (error) {
                reject(error)
              }
            })
          })
        }),
      onHeads() {},
      onConnected() {},
      close() {
        closed = true
      },
    }
  }

  const linksTo = (node: ChainNode) => [...links].filter((link) => link.node === node)

  return {
    connect(url, owner) {
      if (new URL(url).protocol === 'http:') return createPlainRpc(url, owner.schedule)
      // The socket client constructs the global; no two histories run in one process at the same time.
      function open(address: string) {
        return openSocket(address)
      }
      Object.assign(globalThis, { WebSocket: open })
      return createSocketRpc(url, { ...owner, random: random.next })
    },
    closeSockets(node) {
      for (const link of linksTo(node)) link.fail()
    },
    muteSockets(node) {
      for (const link of linksTo(node)) link.mute = true
    },
  }
}
