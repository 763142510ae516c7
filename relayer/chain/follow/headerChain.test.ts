import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Hex } from '../../../protocol/hex.ts'
import type { ChainBlockHeader } from '../../kill/chainPort.ts'
import {
  above,
  extended,
  GrantPointForkedError,
  grantedTo,
  type HeaderChain,
  headerAt,
  reconcile,
  tipOf,
  truncated,
  UnlinkedHeaderError,
} from './headerChain.ts'

const hashOf = (id: number): Hex => `0x${id.toString(16).padStart(64, '0')}`

/** A tree of headers: `parents[i]` is the parent of header i + 1; header 0 has the height `root`. */
function treeOf(parents: readonly number[], root = 100): readonly ChainBlockHeader[] {
  const tree: ChainBlockHeader[] = [{ number: root, hash: hashOf(1), parentHash: hashOf(0), time: root }]
  for (const [i, parent] of parents.entries()) {
    const { number, hash } = tree[parent] as ChainBlockHeader
    tree.push({ number: number + 1, hash: hashOf(i + 2), parentHash: hash, time: number + 1 })
  }
  return tree
}

const parentIn = (tree: readonly ChainBlockHeader[], header: ChainBlockHeader): ChainBlockHeader =>
  tree.find(({ hash }) => hash === header.parentHash) as ChainBlockHeader

function pathTo(tree: readonly ChainBlockHeader[], header: ChainBlockHeader): readonly ChainBlockHeader[] {
  return header === tree[0] ? [header] : [...pathTo(tree, parentIn(tree, header)), header]
}

/** What the follower does with the cases, over a tree that answers every question. */
function follow(
  tree: readonly ChainBlockHeader[],
  chain: HeaderChain,
  head: ChainBlockHeader,
  drop: (headers: readonly ChainBlockHeader[]) => void,
): HeaderChain {
  let branch = [head]
  for (;;) {
    const lowest = branch[0] as ChainBlockHeader
    const found = reconcile(chain, lowest)
    if (found.case === 'known' || found.case === 'behind') return chain
    if (found.case === 'gap') {
      const path = pathTo(tree, lowest)
      branch = [...path.filter(({ number }) => number >= found.from && number <= found.to), ...branch]
      continue
    }
    if (found.case === 'extends') return extended(chain, branch)
    if (found.fetch !== null) {
      branch = [parentIn(tree, lowest), ...branch]
      continue
    }
    drop(found.drop)
    return extended(truncated(chain, lowest.number - 1), branch)
  }
}

const trees = fc
  .array(fc.nat(), { minLength: 1, maxLength: 40 })
  .map((picks) => treeOf(picks.map((pick, i) => Math.max(0, i - (pick % 6)))))

const walks = trees.chain((tree) =>
  fc.record({
    tree: fc.constant(tree),
    heads: fc.array(fc.nat(tree.length - 1), { minLength: 1, maxLength: 60 }),
  }),
)

const linear = treeOf([0, 1, 2, 3])
const chainOf = (headers: readonly ChainBlockHeader[]): HeaderChain => [
  headers[0] as ChainBlockHeader,
  ...headers.slice(1),
]

describe('reconcile', () => {
  const chain = chainOf(linear.slice(0, 4))
  const fork = (parent: number, number: number): ChainBlockHeader => ({
    number,
    hash: hashOf(0xff00 + number),
    parentHash: hashOf(parent),
    time: number,
  })

  test('1: a header of the chain is known, at the tip and below', () => {
    for (const header of chain) expect(reconcile(chain, header)).toEqual({ case: 'known' })
  })
  test('2: the child of the tip extends', () => {
    expect(reconcile(chain, linear[4] as ChainBlockHeader)).toEqual({ case: 'extends' })
  })
  test('3: a higher header leaves a gap', () => {
    expect(reconcile(chain, fork(0xabc, 105))).toEqual({ case: 'gap', from: 104, to: 104 })
    expect(reconcile(chain, fork(0xabc, 110))).toEqual({ case: 'gap', from: 104, to: 109 })
  })
  test('4: a sibling of the tip, of a lower block, and a child of an unknown block fork', () => {
    expect(reconcile(chain, fork(3, 103))).toEqual({ case: 'fork', drop: [chain[3]], fetch: null })
    expect(reconcile(chain, fork(1, 101))).toEqual({
      case: 'fork',
      drop: [chain[3], chain[2], chain[1]],
      fetch: null,
    })
    expect(reconcile(chain, fork(0xabc, 104))).toEqual({
      case: 'fork',
      drop: [chain[3]],
      fetch: hashOf(0xabc),
    })
    expect(reconcile(chain, fork(0xabc, 103))).toEqual({
      case: 'fork',
      drop: [chain[3], chain[2]],
      fetch: hashOf(0xabc),
    })
  })
  test('5: below the grant point is behind; another block at it, or one not descending from it, is an error', () => {
    expect(reconcile(chain, fork(0xabc, 99))).toEqual({ case: 'behind' })
    expect(() => reconcile(chain, fork(0xabc, 100))).toThrow(GrantPointForkedError)
    expect(() => reconcile(chain, fork(0xabc, 101))).toThrow(GrantPointForkedError)
    const lone = chainOf(linear.slice(0, 1))
    expect(() => reconcile(lone, fork(0xabc, 101))).toThrow(GrantPointForkedError)
    expect(reconcile(lone, fork(1, 101))).toEqual({ case: 'extends' })
  })

  test('whatever heads a tree announces, the chain ends as the path to the last one above the grant point', () => {
    fc.assert(
      fc.property(walks, ({ tree, heads }) => {
        let chain = chainOf(tree.slice(0, 1))
        const taken = new Set(chain.map(({ hash }) => hash))
        for (const index of heads) {
          const head = tree[index] as ChainBlockHeader
          const before = chain
          const dropped: ChainBlockHeader[] = []
          chain = follow(tree, chain, head, (headers) => dropped.push(...headers))
          if (headerAt(before, head.number)?.hash === head.hash) expect(chain).toBe(before)
          else expect(chain).toEqual(pathTo(tree, head))
          // Dropped: highest first, without a hole, down from the old tip, and exactly what is gone.
          expect(dropped).toEqual(before.filter((header) => !chain.includes(header)).reverse())
          for (const [i, header] of dropped.entries()) expect(header.number).toBe(tipOf(before).number - i)
          for (const { hash } of chain) taken.add(hash)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('with a moving grant point it never drops at or below it, and says so when asked to', () => {
    fc.assert(
      fc.property(walks, fc.nat(5), ({ tree, heads }, depth) => {
        let chain = chainOf(tree.slice(0, 1))
        for (const index of heads) {
          const head = tree[index] as ChainBlockHeader
          const grantPoint = chain[0]
          const onPath = pathTo(tree, head).includes(grantPoint)
          try {
            const next = follow(tree, chain, head, (headers) => {
              for (const { number } of headers) expect(number).toBeGreaterThan(grantPoint.number)
            })
            expect(onPath || head.number < grantPoint.number).toBe(true)
            chain = next
          } catch (error) {
            expect(error).toBeInstanceOf(GrantPointForkedError)
            expect(onPath).toBe(false)
          }
          const final = headerAt(chain, tipOf(chain).number - depth)
          if (final !== undefined) chain = grantedTo(chain, final) as HeaderChain
        }
      }),
      { numRuns: 500 },
    )
  })
})

test('extended refuses what does not link', () => {
  expect(() => extended(chainOf(linear.slice(0, 2)), linear.slice(3))).toThrow(UnlinkedHeaderError)
})

test('above, truncated and grantedTo cut at a height', () => {
  const chain = chainOf(linear)
  expect(above(chain, 102)).toEqual([linear[4], linear[3]])
  expect(truncated(chain, 102)).toEqual(linear.slice(0, 3))
  expect(grantedTo(chain, linear[2] as ChainBlockHeader)).toEqual(linear.slice(2))
  expect(grantedTo(chain, { ...(linear[2] as ChainBlockHeader), hash: hashOf(0xfff) })).toBeNull()
  expect(grantedTo(chain, { ...(linear[2] as ChainBlockHeader), number: 99 })).toBeNull()
})
