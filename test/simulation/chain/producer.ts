import type { Random } from '../random.ts'
import type { After } from '../time.ts'
import { ancestorAt, type Block, type Chain, descendsFrom } from './chain.ts'
import type { Transaction } from './transaction.ts'

/** Makes the chain grow, fork and become final. */
export type Producer = {
  submit(transaction: Transaction): void
  /** Begins to make blocks. */
  start(): void
  /** No reorg any more, and everything that is submitted lands. */
  calm(): void
  /** Nothing becomes final for some time. */
  stallFinality(stalls: boolean): void
  /** Makes the next block a reorg, if the chain is long enough for one. */
  reorg(): void
}

export function createProducer(options: {
  readonly chain: Chain
  readonly after: After
  readonly random: Random
  /** Unix seconds. */
  readonly seconds: () => number
  /** ms */
  readonly blockTime: number
  /** In blocks. */
  readonly finalityLag: number
  /** Probability of a reorg at each block. */
  readonly reorgs: number
  readonly trace: (text: () => string) => void
  readonly onChange: () => void
}): Producer {
  const { chain, after, random, seconds, trace } = options
  let waiting: Transaction[] = []
  let rival: Block | null = null
  let stalled = false
  let calm = false
  let forced = false

  const finalize = () => {
    if (stalled) return
    const block = ancestorAt(chain.head, chain.head.number - options.finalityLag)
    if (block !== null && block.number > chain.finalized.number) chain.finalize(block)
  }

  const adopt = (head: Block, how: string) => {
    chain.adopt(head)
    trace(() => {
      const events = head.events.map(({ event }) => event.type).join(' ')
      return `block ${head.number} ${head.hash.slice(0, 8)} ${how} ${events}`
    })
  }

  /** Which of the waiting transactions a block takes: none that its branch has already. */
  const chosen = (parent: Block): Transaction[] => {
    waiting = waiting.filter((transaction) => !chain.has(parent, transaction))
    const taken = calm ? waiting : waiting.filter(() => random.chance(0.8))
    waiting = waiting.filter((transaction) => !taken.includes(transaction))
    return random.chance(0.2) ? random.shuffled(taken) : taken
  }

  const extend = () => adopt(chain.mine(chain.head, chosen(chain.head), seconds()), 'on')

  /** Another branch, in which what was on the old one comes again, comes elsewhere, comes later or never. */
  const fork = (depth: number) => {
    const old = chain.head
    const base = ancestorAt(old, old.number - depth) as Block
    const dropped: Transaction[] = []
    for (let one: Block = old; one !== base; one = one.parent as Block) dropped.unshift(...one.transactions)
    const again = dropped.filter(() => random.chance(0.6))
    const later = dropped.filter((transaction) => !again.includes(transaction) && random.chance(0.6))
    const length = Math.max(1, depth + random.int(3) - 1)
    const parts: Transaction[][] = Array.from({ length }, () => [])
    for (const transaction of random.chance(0.3) ? random.shuffled(again) : again)
      parts[random.int(length)]?.push(transaction)
    let head = base
    for (const part of parts) head = chain.mine(head, part, seconds())
    waiting.push(...later)
    rival = old
    adopt(head, `instead of ${depth}`)
  }

  const flipBack = (to: Block) => {
    rival = chain.head
    adopt(chain.mine(to, chosen(to), seconds()), 'back on the old branch')
  }

  const next = () => {
    const deepest = Math.min(4, chain.head.number - chain.finalized.number)
    const forks = !calm && deepest > 0 && (forced || random.chance(options.reorgs))
    forced = false
    if (
      forks &&
      rival !== null &&
      rival !== chain.head &&
      descendsFrom(rival, chain.finalized) &&
      random.chance(0.3)
    )
      flipBack(rival)
    else if (forks) fork(1 + random.int(deepest))
    else extend()
    finalize()
    options.onChange()
    after(options.blockTime * random.between(0.7, 1.3), next)
  }

  return {
    submit(transaction) {
      if (!waiting.includes(transaction)) waiting.push(transaction)
    },
    start: () => void after(options.blockTime, next),
    calm() {
      calm = true
      stalled = false
    },
    stallFinality(stalls) {
      stalled = stalls
    },
    reorg() {
      forced = true
    },
  }
}
