import { type Deployment, deploymentId } from '../../protocol/deployment.ts'
import { FeedRefusedError } from '../../protocol/feed/message.ts'
import type { Clocks, Freshness } from '../../protocol/feed/reader.ts'
import type { RevocationTable } from '../../protocol/revocation.ts'
import { createStore, type Store } from '../store.ts'
import { inTurns } from '../turns.ts'
import type { RelayerApi } from './relayerApi.ts'
import { createVerifiedReader, type VerifyEd25519 } from './verifiedReader.ts'
import { openVisibleStream } from './visibleStream.ts'

/** The relayer's signed feed as this page verified it. */
export type FeedView = {
  readonly freshness: Freshness
  /** Clock of this page at the last sign of life, in ms. */
  readonly heardAt: number | null
  /** Rows as of `number`; a new view for each change. */
  readonly table: RevocationTable
  readonly number: number | null
  /** The latest document that was refused, until the feed is fresh again; its power is nil. */
  readonly refused: string | null
  /** This browser cannot verify Ed25519. */
  readonly unsupported: boolean
}

export type FeedFollower = {
  readonly view: Store<FeedView>
  /** Follows for as long as the page lives. */
  start(): void
}

/** The enforcement points' limit, in ms. */
const maxStaleness = 15_000
const messageTypes = ['kill', 'final', 'withdrawn', 'resumed', 'dropped', 'heartbeat', 'reset']
/** ms between two questions for freshness; a clock's jump is seen by asking. */
const lookInterval = 500
/** ms before a snapshot is asked for again. */
const snapshotPause = 1_000

export function createFeedFollower(options: {
  readonly api: Pick<RelayerApi, 'url' | 'snapshot'>
  readonly deployment: Deployment
  readonly relayerKey: string
  readonly verify: VerifyEd25519
  readonly clocks: () => Clocks
}): FeedFollower {
  const { api, deployment, relayerKey, verify, clocks } = options
  const reader = createVerifiedReader({
    relayer: relayerKey,
    deployment: deploymentId(deployment),
    maxStaleness,
    verify,
    clocks,
    mayPause: inTurns(),
  })
  const view = createStore<FeedView>({
    freshness: 'no feed',
    heardAt: null,
    table: new Map(),
    number: null,
    refused: null,
    unsupported: false,
  })
  let fetching = false

  const note = (change: Partial<FeedView>) => {
    const before = view.get()
    const isNews = Object.entries(change).some(([name, value]) => before[name as keyof FeedView] !== value)
    if (isNews) view.set({ ...before, ...change })
  }
  const noteRows = () => note({ table: new Map(reader.table), number: reader.position()?.number ?? null })
  const noteLife = () => note({ heardAt: clocks().wall, freshness: reader.freshness(clocks()) })

  const noteFailure = (error: unknown) => {
    if (error instanceof FeedRefusedError) note({ refused: error.message })
    else if (['NotSupportedError', 'TypeError'].includes((error as Error).name)) note({ unsupported: true })
  }

  const fetchSnapshot = async (): Promise<void> => {
    if (fetching) return
    fetching = true
    try {
      await reader.takeSnapshot(await api.snapshot())
      noteRows()
      noteLife()
    } catch (error) {
      noteFailure(error)
      setTimeout(() => void look(), snapshotPause)
    } finally {
      fetching = false
    }
  }

  /** After a failure: asks again while there is something to mend and somebody who looks. */
  const look = async (): Promise<void> => {
    if (!document.hidden && reader.freshness(clocks()) !== 'fresh') await fetchSnapshot()
  }

  const take = async (type: string, data: string): Promise<void> => {
    try {
      const taken = await reader.takeMessage(type, data)
      if (taken.kind === 'gap') await fetchSnapshot()
      else if (taken.kind === 'row') noteRows()
      else if (taken.kind === 'heartbeat') {
        noteLife()
        note({ refused: null })
      }
    } catch (error) {
      noteFailure(error)
    }
  }

  return {
    view,
    start() {
      setInterval(() => note({ freshness: reader.freshness(clocks()) }), lookInterval)
      openVisibleStream({
        url: `${api.url}/revocations/stream`,
        events: messageTypes,
        onOpen: () => void fetchSnapshot(),
        onEvent: (type, data) => void (type === 'reset' ? fetchSnapshot() : take(type, data)),
      })
    },
  }
}
