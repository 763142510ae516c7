import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Deployment, deploymentId } from '../../protocol/deployment.ts'
import type { RevocationRow, SvidClaims } from '../../protocol/revocation.ts'
import {
  agentTarget,
  agentTypeTarget,
  fleetTarget,
  ownerTarget,
  type Target,
  targetKey,
} from '../../protocol/scope.ts'
import type { FeedFreshness } from './feedClient.ts'
import { type FeedView, judge } from './judge.ts'

const deployment: Deployment = { chainId: 1, contract: `0x${'11'.repeat(20)}` }
const uuids = ['01890a5d-ac96-8774-bcce-b302099a8057', '01890a5d-ac96-8774-bcce-b302099a8058'] as const
const owners = [`0x${'a1'.repeat(20)}`, `0x${'b2'.repeat(20)}`] as const
const types = ['trader', 'scout'] as const
const targets: readonly Target[] = [
  ...uuids.map(agentTarget),
  ...owners.map(ownerTarget),
  ...types.map(agentTypeTarget),
  fleetTarget,
]
const freshnesses: readonly FeedFreshness[] = ['fresh', 'no feed', 'stale', 'blind', 'forked']

const row = fc.record({
  target: fc.constantFrom(...targets),
  provisional: fc.boolean(),
  finalSequence: fc.integer({ min: 0, max: 6 }),
})
const feed = fc.record({ rows: fc.array(row, { maxLength: 4 }), freshness: fc.constantFrom(...freshnesses) })
const peer = fc.record({
  agent: fc.constantFrom(0, 1),
  owner: fc.constantFrom(0, 1),
  type: fc.constantFrom(0, 1),
  service: fc.boolean(),
  generation: fc.integer({ min: 0, max: 6 }),
  home: fc.boolean(),
  life: fc.integer({ min: -1, max: 1 }),
})

test('judge lets in exactly whom the direct model lets in', () => {
  fc.assert(
    fc.property(
      fc.array(feed, { maxLength: 3 }),
      peer,
      fc.integer({ min: 1, max: 3 }),
      (feeds, p, minFresh) => {
        const claims: SvidClaims = {
          spiffeId: p.service
            ? { trustDomain: 'a.test', type: 'service', name: 'demo' }
            : { trustDomain: 'a.test', type: types[p.type] as string, name: uuids[p.agent] as string },
          owner: p.service ? null : (owners[p.owner] as `0x${string}`),
          deployment: p.home ? deploymentId(deployment) : 'eip155:2:0x00',
          generation: p.generation,
        }
        const views: FeedView[] = feeds.map(({ rows, freshness }, i) => ({
          relayer: String(i),
          freshness,
          table: new Map(
            rows.map(({ target, provisional, finalSequence }): [string, RevocationRow] => [
              targetKey(target),
              { ...target, provisional, finalSequence, rank: 2, reason: 0, text: '', killId: '' },
            ]),
          ),
        }))
        // The model speaks of the inputs, not of tables and keys.
        const covers = ({ scope, subject }: Target): boolean =>
          !p.service &&
          (scope === 3 ||
            (scope === 0 && subject === agentTarget(uuids[p.agent] as string).subject) ||
            (scope === 1 && subject.endsWith((owners[p.owner] as string).slice(2))) ||
            (scope === 2 && subject === agentTypeTarget(types[p.type] as string).subject))
        const killed = feeds.some(({ rows }) =>
          rows.some(
            (r, i) =>
              // The last row of a target is the one in the table.
              !rows.slice(i + 1).some((later) => targetKey(later.target) === targetKey(r.target)) &&
              covers(r.target) &&
              (r.provisional || r.finalSequence > p.generation),
          ),
        )
        const fresh = feeds.filter(({ freshness }) => freshness === 'fresh').length
        const allowed = p.home && !killed && p.life >= 0 && fresh >= minFresh
        const judged = judge({ claims, notAfter: 1_000 + p.life }, views, {
          deployment,
          minFresh,
          wall: 1_000,
        })
        expect(judged.allowed).toBe(allowed)
        // A killed peer always hears of its kill, whatever else is wrong.
        if (killed && p.home) expect(judged).toMatchObject({ why: 'killed' })
      },
    ),
    { numRuns: 5_000 },
  )
})
