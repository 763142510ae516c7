import { generateKeyPairSync } from 'node:crypto'
import { parseSpiffeId } from '../protocol/spiffeId.ts'
import { systemClock } from '../relayer/clock.ts'
import { createEmbeddedProvider } from '../relayer/identity/embeddedProvider.ts'
import { openSigningAuthority } from '../relayer/identity/signingAuthority.ts'
import { receive } from '../scripts/lib/receive.ts'
import { registerFleet, startBareWorld, startWorldRelayer, svidLife, trustDomain } from './lib/bareWorld.ts'
import type { Bench, Benchmark } from './lib/benchmark.ts'
import { cpuTime } from './lib/cpuTime.ts'
import { issuanceRate } from './lib/issuanceRate.ts'
import type { IssueCommand, IssueMessage, IssueSetup } from './lib/issueMessages.ts'
import { quantile } from './lib/statistics.ts'

/** Each is attested once and renewed once. */
const fleetSize = 2_000
const parallel = 32
/** SVIDs that the provider alone issues; the first tenth only warms up. */
const provided = 20_000

/** SVIDs per second of the provider alone: a signature over a certificate, without the decision and the record. */
async function providerRate(folder: string): Promise<number> {
  const provider = createEmbeddedProvider({
    authority: openSigningAuthority({ folder, trustDomain, now: systemClock.wall() }),
    clock: systemClock,
  })
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const issueMany = async (count: number): Promise<number> => {
    const from = performance.now()
    for (let index = 0; index < count; index += 1) {
      const uuid = `01234567-89ab-8def-8123-${index.toString(16).padStart(12, '0')}`
      await provider.issue({
        spiffeId: parseSpiffeId(`spiffe://${trustDomain}/worker/${uuid}`),
        owner: `0x${'a1'.repeat(20)}`,
        deployment: { chainId: 1, contract: `0x${'c0'.repeat(20)}` },
        generation: index,
        spki,
        lifetime: svidLife * 1000,
      })
    }
    return count / ((performance.now() - from) / 1000)
  }
  await issueMany(provided / 10)
  return issueMany(provided)
}

async function run(bench: Bench) {
  const agents = bench.small ? fleetSize / 10 : fleetSize
  const provider = await providerRate(bench.data.file('keys'))
  const issued = await issuanceRate(bench.data.file('issuance'), { trustDomain, count: 2 * agents, parallel })
  bench.say(`registering ${agents} agents`)
  const world = await startBareWorld(bench)
  const fleet = await registerFleet(world, world.wallets.accounts.alice, agents)
  const relayer = await startWorldRelayer(world, bench)
  await world.chain.mineEvery(1)
  const client = world.children.start({ name: 'issue-client', script: 'bench/processes/issueClient.ts' })
  client.send({
    type: 'setup',
    relayer: relayer.address,
    trustDomain,
    agents: fleet,
    parallel,
  } satisfies IssueSetup)
  await receive<IssueMessage, 'ready'>(client, 'ready')

  const { pid } = relayer.child.process
  const measure = async (road: IssueCommand['road']) => {
    bench.say(road === 'attest' ? 'attesting' : 'renewing')
    const before = cpuTime(pid)
    client.send({ type: 'issue', road } satisfies IssueCommand)
    const { total, each, shed } = await receive<IssueMessage, 'issued'>(client, 'issued', 120_000)
    return {
      rate: agents / (total / 1000),
      shed,
      p99: quantile(each, 0.99),
      cpu: (cpuTime(pid) - before) / agents,
    }
  }
  const attested = await measure('attest')
  const renewed = await measure('renew')
  return {
    issuedPerSecond: issued,
    attestPerSecond: attested.rate,
    renewPerSecond: renewed.rate,
    providerPerSecond: provider,
    attestP99: attested.p99,
    renewP99: renewed.p99,
    attestShed: attested.shed,
    renewShed: renewed.shed,
    attestCpu: attested.cpu,
    renewCpu: renewed.cpu,
  }
}

const floor = { unit: '/s', better: 'more', floor: 1_000, aim: 5_000 } as const

export const issue: Benchmark = {
  about: 'X.509-SVIDs issued: challenge, proof, decision, signature, durable record, audit entry',
  runs: 3,
  figures: {
    issuedPerSecond: { text: "issued by the relayer's own parts, without HTTP and TLS", ...floor },
    attestPerSecond: { text: 'attested over HTTP, challenge included', unit: '/s' },
    renewPerSecond: { text: 'renewed over mutual TLS, handshake included', unit: '/s' },
    providerPerSecond: { text: 'by the provider alone', unit: '/s' },
    attestP99: { text: `attestation p99, ${parallel} at a time`, unit: 'ms' },
    renewP99: { text: `renewal p99, ${parallel} at a time`, unit: 'ms' },
    attestShed: { text: 'calls shed while attesting, and made again', unit: 'calls' },
    renewShed: { text: 'calls shed while renewing, and made again', unit: 'calls' },
    attestCpu: { text: "the relayer's processor time per attestation", unit: 'ms' },
    renewCpu: { text: "the relayer's processor time per renewal", unit: 'ms' },
  },
  prepare: async () => run,
}
