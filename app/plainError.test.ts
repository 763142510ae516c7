import {
  BaseError,
  ContractFunctionExecutionError,
  ContractFunctionRevertedError,
  encodeErrorResult,
  HttpRequestError,
  InsufficientFundsError,
  SwitchChainError,
  TimeoutError,
  UserRejectedRequestError,
} from 'viem'
import { expect, test } from 'vitest'
import { ConnectorAccountNotFoundError } from 'wagmi'
import { killSwitchAbi } from '../protocol/generated/killSwitchAbi.ts'
import { RelayerDownError, RelayerRefusedError } from './api/relayerApi.ts'
import { NoGasError, TransactionFailedError, WalletGoneError } from './chain/writeErrors.ts'
import { plainError } from './plainError.ts'

const wrapped = (cause: Error) =>
  new ContractFunctionExecutionError(new BaseError('wrapped', { cause }), {
    abi: killSwitchAbi,
    functionName: 'kill',
    args: [0, `0x${'00'.repeat(32)}`, 1, ''],
  })
const withCode = (code: number) => Object.assign(new Error('the wallet says no'), { code })
const reverted = (data: `0x${string}`) =>
  wrapped(new ContractFunctionRevertedError({ abi: killSwitchAbi, functionName: 'kill', data }))

test.each([
  ['rejected', new UserRejectedRequestError(new Error('no'))],
  ['rejected', withCode(4001)],
  ['rejected', wrapped(withCode(4001))],
  ['wallet busy', withCode(-32002)],
  ['other account', withCode(4100)],
  ['other account', wrapped(withCode(4100))],
  ['other account', new WalletGoneError()],
  [
    'other account',
    new ConnectorAccountNotFoundError({ address: `0x${'aa'.repeat(20)}`, connector: { name: 'x' } as never }),
  ],
  ['other account', Object.assign(new Error('not connected'), { name: 'ConnectorNotConnectedError' })],
  ['wrong chain', new SwitchChainError(new Error('no'))],
  ['wrong chain', withCode(4902)],
  ['relayer down', new RelayerDownError('https://relayer.example', 'cannot be reached')],
  [
    'not durable',
    new RelayerRefusedError({
      type: 'https://killswitch.ai/problems/not-durable',
      title: 'Not durable',
      status: 503,
      detail: 'the disk is full',
    }),
  ],
  [
    'relayer refused',
    new RelayerRefusedError({ type: '', title: 'Expired', status: 410, detail: 'sign anew' }),
  ],
  ['no gas', new NoGasError(1n, 10n ** 15n)],
  ['no gas', wrapped(new InsufficientFundsError())],
  ['no gas', new BaseError("sender doesn't have enough funds to send tx")],
  ['rpc down', wrapped(new HttpRequestError({ url: 'https://node.example', body: {} }))],
  ['rpc down', new TimeoutError({ url: 'https://node.example', body: {} })],
  ['contract refused', new TransactionFailedError('0xface')],
  [
    'contract refused',
    reverted(
      encodeErrorResult({
        abi: killSwitchAbi,
        errorName: 'NoResumeRequest',
        args: [0, `0x${'00'.repeat(32)}`],
      }),
    ),
  ],
  ['other', new Error('who knows')],
  ['other', 'a string'],
] as const)('%s is told from %s, with a next step', (kind, error) => {
  const told = plainError(error)
  expect(told.kind).toBe(kind)
  for (const words of [told.title, told.next]) expect(words).toMatch(/^[A-Z].*\.?$/)
  expect(told.detail).not.toBe('')
})

test('what the contract refuses is said in words, with its numbers, never by the name of an error', () => {
  const data = encodeErrorResult({
    abi: killSwitchAbi,
    errorName: 'RankTooLow',
    args: [`0x${'aa'.repeat(20)}`, 2, 3],
  })
  const { next } = plainError(reverted(data))
  expect(next).toContain('rank Owner')
  expect(next).toContain('rank Council')
  expect(next).not.toContain('RankTooLow')
})

test.each([
  {
    of: 'an agent',
    args: [0, `0x${'00'.repeat(16)}${'0f8fad5bd9cb869fa16570867728950e'}`],
    says: /^Its owner stopped it, and alone/,
  },
  {
    of: 'its wallet',
    args: [1, `0x${'00'.repeat(12)}${'aa'.repeat(20)}`],
    says: /owner of wallet 0xa{40} stopped it, and alone/,
  },
] as const)('an owner’s kill of $of is said to be the owner’s to lift', ({ args, says }) => {
  const data = encodeErrorResult({ abi: killSwitchAbi, errorName: 'OwnersKill', args })
  expect(plainError(reverted(data)).next).toMatch(says)
})

test('an amount that is missing is said in ether', () => {
  expect(plainError(new NoGasError(10n ** 15n, 2n * 10n ** 15n)).next).toContain('0.0010 ETH')
})
