import type { Deployment } from '../../protocol/deployment.ts'
import { deploymentId } from '../../protocol/deployment.ts'
import type { FeedMessage, Snapshot } from '../../protocol/feed/message.ts'
import type { RevocationRow, RevocationTable } from '../../protocol/revocation.ts'
import { fleetTarget, targetKey } from '../../protocol/scope.ts'
import { isReservedType } from '../../protocol/spiffeId.ts'
import type { Fetch } from '../../sdk/client/relayerCall.ts'
import { type FeedClient, type FeedPoint, followFeed } from '../../sdk/enforcer/feedClient.ts'
import { type FeedView, type Judgement, judge } from '../../sdk/enforcer/judge.ts'
import { verifyFeed } from './feedKey.ts'
import { createFeedLink, type FeedLink } from './feedLink.ts'
import type { Random } from './random.ts'
import type { Durations, SimulatedRelayer, Svid } from './relayer.ts'
import type { Rule } from './rules.ts'
import type { Time } from './time.ts'

/** One relayer as an enforcement point follows it. */
export type Followed = {
  readonly relayer: SimulatedRelayer
  readonly link: FeedLink
  readonly position: FeedPoint | null
  readonly isFresh: boolean
}

export type SimulatedPoint = {
  readonly name: string
  readonly followed: readonly Followed[]
  /** This machine's wall clock, ms. */
  wall(): number
  /** Sets the wall clock off by so many ms. */
  jump(ms: number): void
  judge(svid: Pick<Svid, 'claims' | 'expiresAt'>): Judgement
  /** Ends the process and starts it anew, without any memory. */
  restart(): void
  close(): void
}

/** An enforcement point: the SDK's feed client and judgement, on virtual time. */
export function createSimulatedPoint(options: {
  readonly name: string
  readonly deployment: Deployment
  readonly relayers: readonly SimulatedRelayer[]
  readonly time: Time
  readonly random: Random
  readonly wallStart: number
  readonly durations: Durations
  readonly without: ReadonlySet<Rule>
  readonly onRestart: () => void
  /** Told whenever it has read something. */
  readonly onChange: () => void
  readonly trace: (text: () => string) => void
}): SimulatedPoint {
  const { name, deployment, time, random, durations, without } = options
  const holds = (rule: Rule) => !without.has(rule)
  let offset = options.wallStart
  const clock = { wall: () => offset + time.now(), monotonic: time.now }
  const links = options.relayers.map((relayer) => ({
    relayer,
    link: createFeedLink({ relayer, time, random }),
  }))
  type Client = { readonly client: FeedClient; readonly told: Told | null }
  let clients: readonly Client[] = []
  let alive = { on: false }

  const start = () => {
    const self = { on: true }
    alive = self
    clients = links.map(({ relayer, link }): Client => {
      const told = believesSnapshots(holds) ? createTold(link.fetch, holds, options.onChange) : null
      return {
        told,
        client: followFeed({
          relayer: { url: `http://${relayer.name}.sim`, relayer: relayer.publicKey },
          deployment: deploymentId(deployment),
          maxStaleness: durations.maxStaleness,
          verify: verifyFeed,
          events: {
            onRow(type, row) {
              told?.row(type, row)
              options.onChange()
            },
            onSnapshot() {
              told?.accepted()
              options.onChange()
            },
            // A step's end looks at freshness too.
            onChange() {},
          },
          fetch: told?.fetch ?? link.fetch,
          clock: { ...clock, after: (ms, run) => time.after(ms, () => self.on && run()) },
          random: random.next,
          log: {
            info: (_, message) => options.trace(() => `${name}: ${message}`),
            warn: (_, message) => options.trace(() => `${name}: ${message}`),
          },
        }),
      }
    })
  }
  const stop = () => {
    alive.on = false
    for (const { client } of clients) void client.close()
  }
  start()

  return {
    name,
    get followed() {
      return links.map(({ relayer, link }, i) => {
        const client = clients[i]?.client as FeedClient
        return { relayer, link, position: client.status().position, isFresh: client.freshness() === 'fresh' }
      })
    },
    wall: clock.wall,
    jump(ms) {
      offset += ms
    },
    judge(svid) {
      const { claims } = svid
      let views = clients.map(
        ({ client, told }): FeedView => ({
          relayer: client.relayer,
          table: told?.table ?? client.table,
          freshness: client.freshness(),
        }),
      )
      if (!holds('the rows of a stale relayer stand') && views.some((view) => view.freshness === 'fresh'))
        views = views.filter((view) => view.freshness === 'fresh')
      if (!holds('only a fresh view lets anybody in'))
        views = views.map((view) => ({ ...view, freshness: 'fresh' }))
      const rules = { deployment, minFresh: 1, wall: clock.wall() }
      const peer = {
        claims: holds('an SVID of another deployment is refused')
          ? claims
          : { ...claims, deployment: deploymentId(deployment) },
        notAfter: svid.expiresAt,
      }
      if (!holds('an enrolled workload is no agent') && isReservedType(claims.spiffeId.type)) {
        const row = views
          .map((view) => view.table.get(targetKey(fleetTarget)))
          .find((one) => one !== undefined)
        if (row !== undefined) return { allowed: false, why: 'killed', row, relayer: '' }
      }
      if (!holds('the row of any relayer suffices')) {
        const verdicts = views.map((view) => judge(peer, [view], rules))
        return verdicts.find((verdict) => verdict.allowed) ?? judge(peer, views, rules)
      }
      return judge(peer, views, rules)
    },
    restart() {
      stop()
      options.onRestart()
      start()
    },
    close: stop,
  }
}

type Holds = (rule: Rule) => boolean
const believesSnapshots = (holds: Holds): boolean =>
  !holds('a new epoch leaves final kills') || !holds('what is rolled back is refused')

/** What the relayer's documents say, believed as they come: a reader without the rules about snapshots. */
type Told = {
  readonly table: RevocationTable
  readonly fetch: Fetch
  row(type: string, row: RevocationRow): void
  accepted(): void
}

function createTold(fetch: Fetch, holds: Holds, onChange: () => void): Told {
  const table = new Map<string, RevocationRow>()
  let last: Snapshot | null = null
  const believe = () => {
    if (last === null) return
    table.clear()
    for (const row of last.rows) table.set(targetKey(row), row)
    onChange()
  }
  return {
    table,
    async fetch(url, init) {
      const response = await fetch(url, init)
      if (url.endsWith('/stream')) return response
      let text = ''
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>)
        text += Buffer.from(chunk).toString()
      last = JSON.parse(text.slice(0, text.indexOf('\n'))) as Snapshot & FeedMessage
      if (!holds('what is rolled back is refused')) believe()
      return {
        status: 200,
        headers: response.headers,
        body: (async function* () {
          yield Buffer.from(text)
        })(),
      } as unknown as Response
    },
    row(type, row) {
      if (type === 'dropped') table.delete(targetKey(row))
      else table.set(targetKey(row), row)
    },
    accepted: believe,
  }
}
