import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { join } from 'node:path'
import { attestationMessage } from '../../protocol/attestation.ts'
import { toBase64Url } from '../../protocol/bytes.ts'
import type { Hex } from '../../protocol/hex.ts'
import { createRegistry } from '../../protocol/registry.ts'
import { parseSpiffeId } from '../../protocol/spiffeId.ts'
import { emptyAudit } from '../../relayer/audit/entry.ts'
import { systemClock } from '../../relayer/clock.ts'
import { noMessage } from '../../relayer/feed/position.ts'
import { createAttest } from '../../relayer/identity/attest.ts'
import { createChallenges } from '../../relayer/identity/challenges.ts'
import { createEmbeddedProvider } from '../../relayer/identity/embeddedProvider.ts'
import { createIssuance, issueNotes } from '../../relayer/identity/issuance.ts'
import { createPlaces } from '../../relayer/identity/places.ts'
import { openSigningAuthority } from '../../relayer/identity/signingAuthority.ts'
import type { ChainBlock } from '../../relayer/kill/chainPort.ts'
import { createKillExecutor } from '../../relayer/kill/executor.ts'
import { createKillState } from '../../relayer/kill/killState.ts'
import { openDatabase } from '../../relayer/store/database.ts'
import { createJournal } from '../../relayer/store/journal.ts'
import { createCsr } from '../../sdk/agent/csr.ts'

const deployment = { chainId: 1, contract: `0x${'c0'.repeat(20)}` } as const
const owner: Hex = `0x${'a1'.repeat(20)}`
const clock = systemClock
const day = 24 * 3_600_000

/**
 * SVIDs per second of a relayer's own parts in this process, without HTTP and TLS: proof, request, decision, signature,
 * durable record and log entry. The first tenth only warms up.
 */
export async function issuanceRate(
  folder: string,
  options: { readonly trustDomain: string; readonly count: number; readonly parallel: number },
): Promise<number> {
  const { trustDomain, count, parallel } = options
  const db = await openDatabase(join(folder, 'issuance.db'))
  const feed = { relayer: 'bench', deployment: 'bench', epoch: 'bench' }
  const base = { feed, lastMessage: noMessage, sign: () => new Uint8Array(64), clock }
  const executor = createKillExecutor({
    state: createKillState(createRegistry(), [], [], []),
    journal: createJournal({ ...base, db, lastEntry: emptyAudit }),
    epoch: feed.epoch,
    lastMessage: noMessage,
    verifySignature: async () => false,
    clock,
    newId: randomUUID,
    svidHorizon: day,
    maxBlind: day,
    publish() {},
  })
  const provider = createEmbeddedProvider({
    authority: openSigningAuthority({ folder, trustDomain, now: clock.wall() }),
    clock,
  })
  const challenges = createChallenges({ clock })
  const issuance = createIssuance({
    executor,
    deployment,
    trustDomain,
    svidLife: 900_000,
    clock,
    issue: (request) => provider.issue({ ...request, spiffeId: parseSpiffeId(request.spiffeId), deployment }),
    policyOf: () => null,
    record: (svid, how, policy) => executor.note(issueNotes(svid, how, policy)),
    enrolledSince: () => null,
    latest: [],
    places: createPlaces({ registry: executor.registry, taken: [] }),
    resumeCooldownOf: () => 0,
  })
  const attest = createAttest({ challenges, issuance, trustDomain, relayer: feed.relayer })

  const agents = Array.from({ length: count }, () => {
    const uuid = randomUUID()
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const key: Hex = `0x${publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex')}`
    const { pem, spki } = createCsr(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
    return { uuid, key, privateKey, csr: pem, spki, spiffeId: `spiffe://${trustDomain}/worker/${uuid}` }
  })
  const block: ChainBlock = {
    ...{ number: 1, hash: `0x${'01'.repeat(32)}`, parentHash: `0x${'00'.repeat(32)}` },
    time: Math.floor(clock.wall() / 1000),
    seenMonotonic: clock.monotonic(),
    events: agents.map(({ uuid, key }, index) => ({
      logIndex: index,
      txHash: `0x${'02'.repeat(32)}`,
      event: { type: 'AgentRegistered', uuid, owner, agentType: 'worker', key, sequence: index + 1 },
    })),
  }
  await executor.takeFinal([block])
  executor.noteHead(block)

  // What agents do is no work of the relayer's; the challenge, which the proof needs, is issued beforehand too.
  const requests = agents.map(({ spiffeId, csr, spki, privateKey }) => {
    const { challenge } = challenges.issue()
    const parts = { trustDomain, relayer: feed.relayer, challenge, spiffeId, spki }
    const proof = toBase64Url(sign(null, attestationMessage(parts), privateKey))
    return { spiffeId, challenge, proof, csr }
  })
  const issueAll = async (some: typeof requests): Promise<void> => {
    const left = some.values()
    const lane = async () => {
      for (const request of left) await attest(request)
    }
    await Promise.all(Array.from({ length: parallel }, lane))
  }
  const warm = Math.floor(count / 10)
  await issueAll(requests.slice(0, warm))
  const from = performance.now()
  await issueAll(requests.slice(warm))
  const rate = (count - warm) / ((performance.now() - from) / 1000)
  await db.destroy()
  return rate
}
