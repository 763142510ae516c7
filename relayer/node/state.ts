import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { deploymentId } from '../../protocol/deployment.ts'
import type { Clock } from '../clock.ts'
import { createEmbeddedProvider } from '../identity/embeddedProvider.ts'
import { openFeedKey } from '../identity/feedKey.ts'
import { openSigningAuthority } from '../identity/signingAuthority.ts'
import { openDatabase } from '../store/database.ts'
import { readHistory } from '../store/history.ts'
import { createJournal } from '../store/journal.ts'
import { keepLargest, pin } from '../store/settings.ts'
import type { NodeOptions } from './options.ts'

/** ms: clock skew allowed for when a row is dropped. */
const skew = 60_000

export type NodeState = Awaited<ReturnType<typeof openState>>

/** What a relayer has on its disk: store and keys, of one deployment and trust domain for good. */
export async function openState({ deployment, trustDomain, data, svidLife, log }: NodeOptions, clock: Clock) {
  const db = await openDatabase(join(data, 'relayer.db'))
  await pin(db, 'deployment', deploymentId(deployment))
  await pin(db, 'trust domain', trustDomain)
  const feedKey = openFeedKey(join(data, 'feed.key'))
  await pin(db, 'feed key', feedKey.publicKey)
  const provider = createEmbeddedProvider({
    authority: openSigningAuthority({ folder: data, trustDomain, now: clock.wall() }),
    clock,
  })
  const longestLife = await keepLargest(db, 'longest SVID life', svidLife)
  const history = await readHistory(db, clock.wall())
  const feed = {
    relayer: feedKey.publicKey,
    deployment: deploymentId(deployment),
    // New at each start: messages published while the store failed, or after the backup it came from, are not in it, and
    // their numbers are given again. In the same epoch that would be a fork.
    epoch: randomUUID(),
  }
  const journal = createJournal({
    db,
    feed,
    lastMessage: history.lastMessage,
    lastEntry: history.lastEntry,
    sign: feedKey.sign,
    clock,
    onFailure: (err) =>
      log.error(
        { err },
        'the store takes no writes: kills are published but not durable; free or mend its disk',
      ),
    onRecovery: (lostEntries) => log.warn({ lostEntries }, 'the store takes writes again'),
  })
  return {
    db,
    feed,
    sign: feedKey.sign,
    provider,
    bundlePem: await provider.bundlePem(),
    bundle: await provider.bundle(),
    history,
    journal,
    /** How long an SVID of this deployment may live, in ms. */
    svidHorizon: longestLife + skew,
  }
}
