import {
  type AbiEvent,
  bytesToHex,
  encodeAbiParameters,
  encodeEventTopics,
  keccak256,
  stringToBytes,
  toEventSelector,
} from 'viem'
import { expect, test } from 'vitest'
import { killSwitchAbi } from './generated/killSwitchAbi.ts'
import type { Hex } from './hex.ts'
import { decodeRegistryLog } from './registryLog.ts'

const address: Hex = '0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B'
const word: Hex = `0x${'00'.repeat(12)}${address.slice(2).toLowerCase()}`

const killed = {
  topics: encodeEventTopics({
    abi: killSwitchAbi,
    eventName: 'Killed',
    args: { scope: 1, subject: word, authority: address },
  }) as Hex[],
  data: encodeAbiParameters(
    [{ type: 'uint8' }, { type: 'uint16' }, { type: 'uint48' }, { type: 'bytes32' }, { type: 'string' }],
    [2, 5, 77, `0x${'12'.repeat(32)}`, 'stop ✋'],
  ),
}

test('a kill is decoded from its topics and data, addresses in lower case', () => {
  expect(decodeRegistryLog(killed)).toEqual({
    type: 'Killed',
    scope: 1,
    subject: word,
    authority: address.toLowerCase(),
    rank: 2,
    reason: 5,
    sequence: 77,
    orderDigest: `0x${'12'.repeat(32)}`,
    text: 'stop ✋',
  })
})

test('a lowering of the rank', () => {
  const subject: Hex = `0x${'00'.repeat(16)}0f8fad5bd9cb869fa16570867728950e`
  const topics = encodeEventTopics({
    abi: killSwitchAbi,
    eventName: 'RankLowered',
    args: { scope: 0, subject, authority: address },
  })
  const data = encodeAbiParameters([{ type: 'uint40' }], [1_800_000_000])
  expect(decodeRegistryLog({ topics: topics as Hex[], data })).toEqual({
    type: 'RankLowered',
    scope: 0,
    subject,
    authority: address.toLowerCase(),
    requestTime: 1_800_000_000,
  })
})

test('what does not fit the ABI is refused: topics, data, an unknown event', () => {
  for (const log of [
    { ...killed, topics: [] },
    { ...killed, topics: [`0x${'99'.repeat(32)}` as Hex] },
    { ...killed, topics: killed.topics.slice(0, 3) },
    { ...killed, data: killed.data.slice(0, 100) as Hex },
    { ...killed, data: '0x' as Hex },
  ]) {
    expect(() => decodeRegistryLog(log)).toThrow()
  }
})

const metadataSet = (key: Uint8Array, value: Hex) => ({
  topics: [
    toEventSelector('MetadataSet(uint256,string,string,bytes)'),
    `0x${'00'.repeat(16)}0f8fad5bd9cb869fa16570867728950e`,
    keccak256(key),
  ] as Hex[],
  data: encodeAbiParameters([{ type: 'bytes' }, { type: 'bytes' }], [bytesToHex(key), value]),
})

test("an agent wallet is told by ERC-8004's event, and cleared by it", () => {
  const key = stringToBytes('agentWallet')
  const uuid = '0f8fad5b-d9cb-869f-a165-70867728950e'
  const agentWallet = address.toLowerCase()
  expect(decodeRegistryLog(metadataSet(key, address))).toEqual({
    type: 'AgentWalletChanged',
    uuid,
    agentWallet,
  })
  expect(decodeRegistryLog(metadataSet(key, '0x'))).toEqual({
    type: 'AgentWalletChanged',
    uuid,
    agentWallet: null,
  })
})

test('another key is no agent wallet, though a text decoder may make the same text of it', () => {
  for (const key of [stringToBytes('note'), stringToBytes('\uFEFFagentWallet'), stringToBytes('agentwallet')])
    expect(decodeRegistryLog(metadataSet(key, address))).toBeNull()
})

test('every event of the ABI can be decoded: indexed parameters are static, or texts', () => {
  const events = (killSwitchAbi as readonly unknown[] as readonly AbiEvent[]).filter(
    ({ type }) => type === 'event',
  )
  expect(events.length).toBeGreaterThan(10)
  for (const { name, inputs } of events)
    for (const { type, indexed } of inputs)
      if (indexed)
        expect([name, type]).toEqual([name, expect.stringMatching(/^(address|bytes32|uint\d+|bool|string)$/)])
})
