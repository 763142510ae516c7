import { pad } from 'viem'
import { expect, test } from 'vitest'
import { chainId } from '../../test/chain/contract.ts'
import { createVirtualTime } from '../../test/chain/fakeChain.ts'
import { RpcResponseError, RpcUnavailableError } from './rpc/rpcErrors.ts'
import { createSignatureVerifier, SignatureUncheckedError } from './verifyAuthority.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const safe = `0x${'5a'.repeat(20)}` as const
const digest = `0x${'12'.repeat(32)}` as const
const yes = pad('0x1626ba7e', { dir: 'right' })
const no = pad('0xffffffff', { dir: 'right' })
const reverted = new RpcResponseError('http://127.0.0.1:1', 'eth_call', { code: 3, message: 'reverted' })
const dead = new RpcUnavailableError('http://127.0.0.1:1', 'eth_call', 'dead')
const silent = null

/** A verifier over RPCs that answer the call with these values; the chain's id comes after `idDelay` ms. */
function world(answers: readonly unknown[], idDelay = 0) {
  const time = createVirtualTime(0)
  const said = [...answers]
  let calls = 0
  const verify = createSignatureVerifier({
    rpcs: said.map((_, i) => `http://127.0.0.1:${i + 1}`),
    chainId,
    ...time,
    log: quiet,
    connect: (url) => ({
      url,
      request: (method) =>
        new Promise((resolve, reject) => {
          if (method === 'eth_chainId') {
            time.schedule(idDelay, () => resolve(`0x${chainId.toString(16)}`))
            return
          }
          calls += 1
          const answer = said[Number(new URL(url).port) - 1]
          if (answer instanceof Error) reject(answer)
          else if (answer !== silent) resolve(answer)
        }),
      onHeads() {},
      onConnected() {},
      close() {},
    }),
  })
  const ask = async (account: `0x${string}` = safe) => {
    const verdict = verify(account, digest, '0x01').then(String, (error: Error) =>
      error instanceof SignatureUncheckedError ? 'unchecked' : error,
    )
    await time.pass(1_000)
    return Promise.race([verdict, 'nothing within 1 s'])
  }
  return { ask, said, time, calls: () => calls }
}

test.each([
  ['one accepts', [yes], 'true'],
  ['one refuses', [no], 'false'],
  ['one reverts', [reverted], 'false'],
  ['one is dead', [dead], 'unchecked'],
  ['of two, both accept', [yes, yes], 'true'],
  ['of two, one accepts', [yes, no], 'unchecked'],
  ['of two, both refuse', [no, reverted], 'false'],
  ['of three, a liar accepts', [yes, no, no], 'false'],
  ['of three, a liar refuses', [reverted, yes, yes], 'true'],
  ['of three, a liar has no code', ['0x', yes, yes], 'true'],
  ['of three, one accepts and one is dead', [yes, dead, no], 'unchecked'],
  ['of three, one accepts and two are dead', [yes, dead, silent], 'unchecked'],
  ['of three, one refuses and two are dead', [no, silent, dead], 'unchecked'],
  ['of five, two accept', [silent, yes, dead, yes, no], 'true'],
  ['of five, two refuse', [silent, no, dead, no, yes], 'unchecked'],
])('a signature by code: %s', async (_, answers, verdict) => {
  expect(await world(answers).ask()).toBe(verdict)
})

test('all RPCs together have one second, with all that they are asked first', async () => {
  expect(await world([silent, silent, silent]).ask()).toBe('unchecked')
  expect(await world([yes, yes, yes], 1_500).ask()).toBe('unchecked')
})

test('an account without code is not asked again for a while, then it may have some', async () => {
  const { ask, said, time, calls } = world(['0x', '0x', '0x'])
  expect(await ask()).toBe('false')
  const asked = calls()
  expect([await ask(), calls()]).toEqual(['false', asked])
  said.fill(yes)
  await time.pass(14_000)
  expect(await ask()).toBe('true')
})

test('that an account has no code is not remembered on the word of one', async () => {
  const { ask, said } = world(['0x', no, no])
  expect(await ask()).toBe('false')
  said.fill(yes)
  expect(await ask()).toBe('true')
})

test('what is remembered does not grow without end', async () => {
  const { ask, calls } = world(['0x'])
  await ask()
  for (let i = 1; i <= 1_024; i++) await ask(`0x${i.toString(16).padStart(40, '0')}`)
  const asked = calls()
  await ask()
  expect(calls()).toBe(asked + 1)
})
