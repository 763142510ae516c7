import { numberToHex, pad } from 'viem'
import { expect, test } from 'vitest'
import { createVirtualTime } from '../../test/chain/fakeChain.ts'
import { checkSvidLife } from './minCooldown.ts'
import { RpcUnavailableError } from './rpc/rpcErrors.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const deployment = { chainId: 31337, contract: `0x${'c0'.repeat(20)}` } as const
const cooldown = (seconds: number) => pad(numberToHex(seconds))
const dead = new RpcUnavailableError('http://127.0.0.1:1', 'eth_call', 'dead')

/** What becomes of a life of 300 s where the RPCs answer like that. */
async function check(...answers: readonly unknown[]) {
  const time = createVirtualTime(0)
  let verdict = 'nothing'
  checkSvidLife(300_000, {
    rpcs: answers.map((_, i) => `http://127.0.0.1:${i + 1}`),
    deployment,
    ...time,
    log: quiet,
    connect: (url) => ({
      url,
      async request(method) {
        if (method === 'eth_chainId') return numberToHex(deployment.chainId)
        const answer = answers[Number(new URL(url).port) - 1]
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

const fits = cooldown(300)
const short = cooldown(299)

test.each([
  ['one tells a cool-down that fits', [fits], 'fine'],
  ['one tells too short a cool-down', [short], 'SvidLifeTooLongError'],
  ['one knows of no contract', ['0x'], 'NoKillSwitchError'],
  ['a liar is asked first, of too short a cool-down', [short, fits, fits], 'fine'],
  ['a liar is asked first, of a long cool-down', [cooldown(9_999), short, short], 'SvidLifeTooLongError'],
  ['one is syncing and one is dead', [dead, fits, '0x'], 'RpcUnavailableError'],
  ['one is syncing and asked last', [dead, '0x', fits, fits, fits], 'fine'],
  ['two know of no contract', ['0x', fits, '0x'], 'NoKillSwitchError'],
  ['two contradict each other', [fits, short], 'InconsistentRpcError'],
])('%s', async (_, answers, verdict) => {
  expect(await check(...answers)).toBe(verdict)
})
