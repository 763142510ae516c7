import { hexToBytes, keccak256 } from 'viem'
import type { Hex } from '../../../protocol/hex.ts'

// Yellow Paper 4.3.1, M3:2048: the low 11 bits of each of the first three 16-bit pairs of the hash name a bit; bit 0
// is the last bit of the 256 bytes.
const bitsOf = (value: Hex): readonly number[] => {
  const hash = hexToBytes(keccak256(value))
  return [0, 2, 4].map((i) => (((hash[i] as number) << 8) | (hash[i + 1] as number)) & 2047)
}

/** Whether a bloom filter may contain a value; false is certain. */
export function bloomMayContain(bloom: Hex, value: Hex): boolean {
  const bytes = hexToBytes(bloom)
  return bitsOf(value).every((bit) => (((bytes[255 - (bit >> 3)] ?? 0) >> (bit & 7)) & 1) === 1)
}

/** The bloom filter of a block's logs; of all of them, it equals the header's `logsBloom`. */
export function bloomOfLogs(
  logs: readonly { readonly address: Hex; readonly topics: readonly Hex[] }[],
): Hex {
  const bytes = new Uint8Array(256)
  for (const value of new Set(logs.flatMap((log) => [log.address, ...log.topics]))) {
    for (const bit of bitsOf(value))
      bytes[255 - (bit >> 3)] = (bytes[255 - (bit >> 3)] as number) | (1 << (bit & 7))
  }
  return `0x${Buffer.from(bytes).toString('hex')}`
}
