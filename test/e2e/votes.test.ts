// `npm start` under votes: a holder changes a policy and the relayer's version moves; an emergency vote stops a type and its
// agents are refused. Nothing but local.json is used, as by anyone who tries it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createPublicClient, createWalletClient, defineChain, encodeFunctionData, type Hex, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { policyGovernorAbi } from '../../protocol/generated/policyGovernorAbi.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import {
  type Action,
  describedFor,
  type Proposal,
  proposalId,
  proposeArguments,
  settleArguments,
} from '../../protocol/governance/proposal.ts'
import type { KillPolicy } from '../../protocol/policy/killPolicy.ts'
import { toPolicyStruct } from '../../protocol/policy/policyLog.ts'
import { agentTypeTarget } from '../../protocol/scope.ts'
import { parseSpiffeId } from '../../protocol/spiffeId.ts'
import { runScript, type Script } from './support/script.ts'

type Local = {
  readonly rpc: string
  readonly relayer: string
  readonly chainId: number
  readonly contracts: GovernedContracts
  readonly keyFiles: { readonly alice: string; readonly bob: string }
}
type Policy = {
  readonly granted: { readonly version: number; readonly policy: KillPolicy }
  readonly inForce: { readonly limits: { readonly consecutiveFailures: number } }
}

/** IGovernor.ProposalState */
const State = { Active: 1, Succeeded: 4, Queued: 5, Executed: 7 } as const

let base: string
let run: Script
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'killswitch-votes-'))
  run = runScript(
    'scripts/start.ts',
    [
      ...['--port-chain', '0', '--port-relayer', '0', '--port-mtls', '0', '--port-service', '0'],
      ...['--agents', '4', '--data', path.join(base, 'data')],
    ],
    base,
  )
})
afterEach(async () => {
  run.process.kill('SIGINT')
  await run.ended()
  rmSync(base, { recursive: true, force: true })
})

test('a policy by vote, and a type stopped by an emergency vote', { timeout: 180_000 }, async () => {
  const [, agent] = await run.sees(/killswitch kill (spiffe:\S+)/, 90_000)
  const local = JSON.parse(readFileSync(path.join(base, 'data', 'local.json'), 'utf8')) as Local
  const { contracts } = local
  const chain = defineChain({
    id: local.chainId,
    name: 'local',
    nativeCurrency: { name: 'ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [local.rpc] } },
  })
  const client = createPublicClient({ chain, transport: http(local.rpc), pollingInterval: 100 })
  const wallet = createWalletClient({ chain, transport: http(local.rpc) })
  const [alice, bob] = [local.keyFiles.alice, local.keyFiles.bob].map((file) =>
    privateKeyToAccount(readFileSync(path.resolve(base, 'data', file), 'utf8').trim() as Hex),
  )
  if (alice === undefined || bob === undefined) throw new Error('local.json names no keys')

  const send = async (
    account: typeof alice,
    governor: Hex,
    functionName: string,
    args: readonly unknown[],
  ) => {
    const hash = await wallet.writeContract({
      ...{ account, address: governor, abi: policyGovernorAbi, functionName, args },
    } as unknown as Parameters<typeof wallet.writeContract>[0])
    expect((await client.waitForTransactionReceipt({ hash })).status, functionName).toBe('success')
  }
  const reaches = (governor: Hex, proposal: Proposal, state: number) =>
    vi.waitFor(
      async () =>
        expect(
          await client.readContract({
            address: governor,
            abi: policyGovernorAbi,
            functionName: 'state',
            args: [proposalId(proposal)],
          }),
        ).toBe(state),
      { timeout: 60_000, interval: 200 },
    )
  const proposed = async (governor: Hex, action: Omit<Action, 'value'>, text: string): Promise<Proposal> => {
    const proposal = {
      actions: [{ ...action, value: 0n }],
      description: describedFor(text, alice.address),
    }
    await send(alice, governor, 'propose', proposeArguments(proposal))
    await reaches(governor, proposal, State.Active)
    await send(alice, governor, 'castVote', [proposalId(proposal), 1])
    return proposal
  }
  // Its agents came in by a quota that the relayer could ask for.
  expect(await (await fetch(`${local.relayer}/metrics`)).text()).toMatch(
    /^killswitch_quota_unknown_total 0$/m,
  )

  const policyNow = async (): Promise<Policy> =>
    (await (await fetch(`${local.relayer}/policies/_default`)).json()) as Policy

  const before = await policyNow()
  expect([before.granted.version, before.inForce.limits.consecutiveFailures]).toEqual([1, 10])
  const { policy } = before.granted
  const { policyGovernor, emergencyGovernor } = contracts
  const change = await proposed(
    policyGovernor,
    {
      target: contracts.killPolicies,
      data: encodeFunctionData({
        abi: killPoliciesAbi,
        functionName: 'setDefault',
        args: [
          toPolicyStruct({ ...policy, limits: { ...policy.limits, consecutiveFailures: 3 } }),
          BigInt(before.granted.version),
        ],
      }),
    },
    'Three failures in a row are enough.',
  )
  await send(bob, policyGovernor, 'castVote', [proposalId(change), 1])
  await reaches(policyGovernor, change, State.Succeeded)
  await send(bob, policyGovernor, 'queue', settleArguments(change))
  // The timelock is over once a call of it would succeed.
  await vi.waitFor(
    () =>
      client.simulateContract({
        address: policyGovernor,
        abi: policyGovernorAbi,
        functionName: 'execute',
        args: settleArguments(change),
        account: bob,
      }),
    { timeout: 30_000, interval: 200 },
  )
  await send(bob, policyGovernor, 'execute', settleArguments(change))
  await vi.waitFor(
    async () => {
      const after = await policyNow()
      expect([after.granted.version, after.inForce.limits.consecutiveFailures]).toEqual([2, 3])
    },
    { timeout: 20_000, interval: 100 },
  )

  const { type } = parseSpiffeId(agent ?? '')
  const target = agentTypeTarget(type)
  const stop = await proposed(
    emergencyGovernor,
    {
      target: contracts.killSwitch,
      data: encodeFunctionData({
        abi: killSwitchAbi,
        functionName: 'kill',
        args: [target.scope, target.subject, 2, 'by emergency vote'],
      }),
    },
    'They run wild.',
  )
  // Alice alone is above the super-quorum: the vote has ended.
  await reaches(emergencyGovernor, stop, State.Succeeded)
  await send(bob, emergencyGovernor, 'execute', settleArguments(stop))
  await run.sees(new RegExp(`kill of AgentType ${type}: connections closed: [1-9]`))
  await run.sees(/confirmed [\d.]+ ms after the relayer saw it/)
  // Of an agent that was about to renew its SVID the relayer says so before the service does.
  for (const owner of ['alice', 'bob'])
    await run.sees(new RegExp(`killed +${owner} +spiffe://[^/]+/${type}/\\S+ +(403|no identity:) killed`))
  // Agents of other types go on.
  const killed = [...run.stdout().matchAll(/killed +\w+ +spiffe:\/\/[^/]+\/([^/]+)\//g)].map(
    ([, name]) => name,
  )
  expect(new Set(killed)).toEqual(new Set([type]))
})
