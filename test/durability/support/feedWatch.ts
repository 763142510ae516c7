import { get } from 'node:http'
import { deploymentId } from '../../../protocol/deployment.ts'
import { messageHash, type RowMessage } from '../../../protocol/feed/message.ts'
import { createFeedReader, type FeedReader } from '../../../protocol/feed/reader.ts'
import type { RevocationRow } from '../../../protocol/revocation.ts'
import { createEd25519Verify } from '../../../sdk/client/ed25519.ts'

export type Published = {
  readonly epoch: string
  readonly number: number
  readonly hash: string
  readonly type: string
  readonly row: RevocationRow
}

export type FeedWatch = {
  /** Every numbered message that has arrived, ever. */
  readonly published: readonly Published[]
  readonly reader: FeedReader
  /**
   * Follows the relayer at an address. `entered` resolves once its snapshot is taken or the connection is broken;
   * `ended` when it is broken, and rejects when the feed breaks its rules.
   */
  follow(url: string): { readonly entered: Promise<void>; readonly ended: Promise<void> }
}

const clocks = () => ({ wall: Date.now(), monotonic: performance.now() })

/** A subscriber that outlives the relayer's crashes and holds the feed to its rules (docs/protocol.md, Feed). */
export function createFeedWatch(relayer: string, deployment: Parameters<typeof deploymentId>[0]): FeedWatch {
  const published: Published[] = []
  const reader = createFeedReader({
    relayer,
    deployment: deploymentId(deployment),
    maxStaleness: 15_000,
    verify: createEd25519Verify(),
  })

  const take = async (url: string, event: string, document: string): Promise<void> => {
    if (event === 'reset') {
      const answer = await fetch(`${url}/revocations`).catch(() => null)
      const snapshot = await answer?.text().catch(() => null)
      if (snapshot == null) return
      const before = reader.position()
      const { number } = reader.takeSnapshot(snapshot, clocks())
      if (before !== null && number < before.number)
        throw new Error(`the feed went back from ${before.number} to ${number}`)
      return
    }
    const taken = reader.takeMessage(document, clocks())
    if (event === 'heartbeat') {
      if (taken.kind === 'gap') await take(url, 'reset', '')
      return
    }
    if (taken.kind === 'known') return
    const json = document.slice(0, document.indexOf('\n'))
    const { epoch, number, row } = JSON.parse(json) as RowMessage
    // A new epoch is entered by a snapshot; where a crash came before it, its messages are known all the same.
    if (taken.kind === 'gap' && epoch === reader.position()?.epoch)
      throw new Error(`the feed has a gap before ${json}`)
    published.push({ epoch, number, hash: messageHash(json), type: event, row })
  }

  return {
    published,
    reader,
    follow(url) {
      let enter = () => {}
      const entered = new Promise<void>((resolve) => {
        enter = resolve
      })
      const ended = new Promise<void>((resolve, reject) => {
        let work: Promise<void> = Promise.resolve()
        const finish = () => {
          enter()
          work.then(resolve, reject)
        }
        const request = get(`${url}/revocations/stream`, (response) => {
          let rest = ''
          response.setEncoding('utf8').on('data', (text: string) => {
            rest += text
            const frames = rest.split('\n\n')
            rest = frames.pop() as string
            for (const frame of frames) {
              const event = /^event: (.*)$/m.exec(frame)?.[1] ?? ''
              const document = [...frame.matchAll(/^data: (.*)$/gm)].map((match) => match[1]).join('\n')
              work = work.then(() => take(url, event, document))
            }
            work.then(enter, enter)
          })
          response.on('close', finish)
          response.on('error', () => undefined)
        })
        request.on('error', finish)
      })
      ended.catch(() => undefined)
      return { entered, ended }
    },
  }
}
