import {
  emptyHash,
  feedTag,
  messageHash,
  type RowMessageType,
  type Sign,
  signDocument,
} from '../../protocol/feed/message.ts'
import { canonicalRow } from '../../protocol/feed/tableDigest.ts'
import type { RevocationRow } from '../../protocol/revocation.ts'

/** Which feed this is: the relayer's key, the deployment, and the epoch. */
export type FeedIdentity = { readonly relayer: string; readonly deployment: string; readonly epoch: string }

/** The last numbered message and its hash. */
export type LastMessage = { readonly number: number; readonly hash: string }

export const noMessage: LastMessage = { number: 0, hash: emptyHash }

/** A signed message, ready to be journalled and sent. */
export type SignedMessage = LastMessage & Announcement & { readonly document: string }

/** What a decision announces. */
export type Announcement = { readonly type: RowMessageType; readonly row: RevocationRow }

/** Numbers, links and signs announcements after `last`. @param time ms */
export function signAnnouncements(
  feed: FeedIdentity,
  last: LastMessage,
  announcements: readonly Announcement[],
  time: number,
  sign: Sign,
): readonly SignedMessage[] {
  let previous = last
  return announcements.map(({ type, row }) => {
    const number = previous.number + 1
    const document = signDocument(
      { tag: feedTag, type, ...feed, number, previous: previous.hash, time, row: canonicalRow(row) },
      sign,
    )
    const hash = messageHash(document.slice(0, document.indexOf('\n')))
    const message = { type, row, number, hash, document }
    previous = message
    return message
  })
}
