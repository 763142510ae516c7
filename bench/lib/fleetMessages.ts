import type { RelayerAddress, ServiceAddress } from '../../scripts/lib/messages.ts'

/** To a process of connected agents, once. */
export type ConnectedSetup = {
  readonly type: 'setup'
  readonly relayer: RelayerAddress
  readonly trustDomain: string
  readonly services: readonly ServiceAddress[]
  readonly agents: readonly { readonly spiffeId: string; readonly privateKey: string }[]
}

/** Lets all agents call. `interval` is between two requests of one agent, in ms; they go round the services. */
export type StartCommand = { readonly type: 'start'; readonly interval: number }

export type ConnectedCounts = {
  readonly sent: number
  readonly accepted: number
  readonly refused: number
  /** Connections that the other side ended. */
  readonly closed: number
  /** Turns left out because the request before was not answered yet. */
  readonly late: number
}

export type ConnectedMessage = { readonly type: 'ready' } | ({ readonly type: 'counted' } & ConnectedCounts)

/** To a process of feed subscribers: hold so many connections to this stream, no more and no fewer. */
export type SubscribeCommand = { readonly type: 'subscribe'; readonly stream: string; readonly count: number }

/** When a kill came to the subscribers; moments by CLOCK_MONOTONIC in ms, in order. */
export type Delivery = { readonly killId: string; readonly arrivals: readonly number[] }

export type SubscriberMessage =
  | { readonly type: 'subscribed'; readonly open: number }
  | {
      readonly type: 'collected'
      readonly deliveries: readonly Delivery[]
      /** The last kill as the stream sent it; empty before the first. */
      readonly frame: string
    }

/** To a bare event stream: sends a frame to all who listen. */
export type PublishCommand = { readonly type: 'publish'; readonly frame: string }

export type BareStreamMessage =
  | { readonly type: 'ready'; readonly url: string }
  /** Just before the first write. */
  | { readonly type: 'published'; readonly at: number }
