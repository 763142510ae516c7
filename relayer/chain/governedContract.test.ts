import { numberToHex, pad, toFunctionSelector } from 'viem'
import { expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import { createVirtualTime } from '../../test/chain/fakeChain.ts'
import { checkGovernedContracts, type GovernedContract } from './governedContract.ts'
import { RpcResponseError, RpcUnavailableError } from './rpc/rpcErrors.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const deployment = { chainId: 31337, contract: `0x${'c0'.repeat(20)}` } as const
const policies: GovernedContract = { kind: 'KillPolicies', contract: `0x${'b1'.repeat(20)}` }
const killSwitchCall = toFunctionSelector('killSwitch()')

const says = (killSwitch: Hex, own: unknown = pad('0x')) => ({ killSwitch: pad(killSwitch), own })
const fits = says(deployment.contract)
const others = says(`0x${'0e'.repeat(20)}`)
const nothing = { killSwitch: '0x', own: '0x' }
const refusal = (message: string) =>
  new RpcResponseError('http://127.0.0.1:1', 'eth_call', {
    code: message === 'reverted' ? 3 : -32_000,
    message,
  })
const governor = says(deployment.contract, refusal('reverted'))
const both = (error: Error) => ({ killSwitch: error, own: error })
const dead = both(new RpcUnavailableError('http://127.0.0.1:1', 'eth_call', 'dead'))
const busy = both(refusal('missing trie node'))
const reverts = both(refusal('reverted'))

/** What becomes of KillPolicies where the RPCs answer like that. */
async function check(...answers: readonly { readonly killSwitch: unknown; readonly own: unknown }[]) {
  const time = createVirtualTime(0)
  let verdict = 'nothing'
  checkGovernedContracts([policies], {
    rpcs: answers.map((_, i) => `http://127.0.0.1:${i + 1}`),
    deployment,
    ...time,
    log: quiet,
    connect: (url) => ({
      url,
      async request(method, params) {
        if (method === 'eth_chainId') return numberToHex(deployment.chainId)
        const [{ to, data }] = params as readonly [{ to: Hex; data: Hex }]
        expect(to).toBe(policies.contract)
        const { killSwitch, own } = answers[Number(new URL(url).port) - 1] ?? nothing
        const answer = data === killSwitchCall ? killSwitch : own
        if (answer instanceof Error) throw answer
        return answer
      },
      onHeads() {},
      onConnected() {},
      close() {},
    }),
  }).then(
    () => {
      verdict = 'fine'
    },
    (error: Error) => {
      verdict = error.name
    },
  )
  await time.pass(1_000)
  return verdict
}

test.each([
  ['one tells the deployment', [fits], 'fine'],
  ['one tells another KillSwitch', [others], 'OtherKillSwitchError'],
  ['one knows of no contract', [nothing], 'NoGovernedContractError'],
  ['the contract answers nothing of the kind', [reverts], 'NoGovernedContractError'],
  ['it is another contract of the deployment', [governor], 'NoGovernedContractError'],
  ['a liar is asked first, of another KillSwitch', [others, fits, fits], 'fine'],
  ['a liar is asked first, of the deployment', [fits, others, others], 'OtherKillSwitchError'],
  ['one is syncing and asked first', [nothing, fits, fits], 'fine'],
  ['one is syncing and one is dead', [dead, fits, nothing], 'RpcUnavailableError'],
  ['one has no such contract, and one refuses for now', [reverts, busy, fits], 'RpcResponseError'],
  ['two have no such contract', [reverts, fits, reverts], 'NoGovernedContractError'],
  ['none answers', [dead], 'RpcUnavailableError'],
])('%s', async (_, answers, verdict) => {
  expect(await check(...answers)).toBe(verdict)
})
