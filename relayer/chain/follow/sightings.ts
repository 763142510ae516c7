import type { ChainBlock } from '../../kill/chainPort.ts'
import type { Schedule } from '../../schedule.ts'
import { backoff } from '../backoff.ts'
import type { ChainLog } from '../chainLog.ts'
import type { Rpc } from '../rpc/rpc.ts'
import { rpcLabel } from '../rpc/rpcErrors.ts'
import type { ToldBlock } from './agreedRun.ts'
import { sameEvents } from './blockReader.ts'
import type { KilledEvent } from './killProof.ts'

/** How long a kill that counts by agreement waits for its block to be taken the usual way, in ms. */
const grace = 25
/** Proofs that are sought at once for the claims of one RPC; further claims wait for a second RPC. */
const maxProofs = 64
/** How often a proof is sought that no RPC gives. */
const proofAttempts = 5
/** Kills that are remembered at once of those that one RPC has told first. */
const maxClaims = 4_096
/** Blocks that are remembered of one claim: enough for a reorg or two, as the kill is the same in each. */
const maxBlocks = 8

type Claim = {
  readonly tellers: Set<Rpc>
  readonly event: KilledEvent
  /** Blocks that tell it, by hash; with the flag whether it was handed over as of that block. */
  readonly blocks: Map<string, { readonly block: ToldBlock; sighted: boolean }>
  proof: 'unsought' | 'sought' | 'found' | 'none'
}

export type Sightings = {
  /** An RPC tells a block. */
  tell(block: ToldBlock, rpc: Rpc): void
  /** Forgets blocks up to a height: they are final. */
  forget(number: number): void
  stop(): void
}

/**
 * Counts who tells a kill that is not on the held chain, and has it taken on first sight once it counts: by a proof, or
 * because two RPCs (with a single RPC: that one) tell it, in whichever blocks.
 * @param options.prove whether a signature proves the kill; asked of any RPC, rejects when none could tell
 * @param options.take takes the kills of a block that is not held; resolves once they are durable
 */
export function createSightings(options: {
  readonly rpcs: number
  readonly isHeld: (block: ChainBlock) => boolean
  /** Whether the block is about to be taken the usual way. */
  readonly isAgreed: (block: ChainBlock) => boolean
  readonly prove: (event: KilledEvent, txHash: ToldBlock['hash']) => Promise<boolean>
  readonly take: (block: ChainBlock) => Promise<void>
  readonly schedule: Schedule
  readonly random: () => number
  readonly log: ChainLog
}): Sightings {
  const { isHeld, isAgreed, prove, take, schedule, random, log } = options
  const enough = Math.min(2, options.rpcs)
  const claims = new Map<string, Claim>()
  const toldFirst = new Map<Rpc, Set<string>>()
  const proving = new Map<Rpc, number>()
  let stopped = false

  const counts = (claim: Claim) => claim.proof === 'found' || claim.tellers.size >= enough

  /** Hands over what counts in a block and was not handed over before. */
  const sight = async (block: ToldBlock, attempt = 0): Promise<void> => {
    if (stopped || isHeld(block)) return
    if (isAgreed(block)) {
      schedule(grace, () => void sight(block, attempt))
      return
    }
    const due = new Set<Claim>()
    const events = block.events.filter(({ event, txHash }) => {
      if (event.type !== 'Killed') return false
      const claim = claims.get(keyOf(event, txHash))
      const place = claim?.blocks.get(block.hash)
      if (claim === undefined || place === undefined || place.sighted || !counts(claim)) return false
      due.add(claim)
      return true
    })
    if (events.length === 0) return
    const mark = (sighted: boolean) => {
      for (const claim of due) {
        const place = claim.blocks.get(block.hash)
        if (place !== undefined) place.sighted = sighted
      }
    }
    mark(true)
    try {
      await take({ ...block, events })
      log.info({ number: block.number, hash: block.hash, kills: events.length }, 'kills taken on first sight')
    } catch (error) {
      mark(false)
      log.error({ error, number: block.number, hash: block.hash }, 'kills not durable yet, trying again')
      schedule(backoff(attempt, 50, 2_000, random()), () => void sight(block, attempt + 1))
    }
  }

  const sightAll = (claim: Claim) => {
    for (const { block, sighted } of claim.blocks.values()) if (!sighted) void sight(block)
  }

  const seekProof = async (claim: Claim, txHash: ToldBlock['hash'], rpc: Rpc, attempt = 0): Promise<void> => {
    const busy = proving.get(rpc) ?? 0
    if (stopped || (attempt === 0 && busy >= maxProofs)) return
    proving.set(rpc, busy + 1)
    claim.proof = 'sought'
    try {
      claim.proof = (await prove(claim.event, txHash)) ? 'found' : 'none'
    } catch (error) {
      log.debug({ error, txHash }, 'no RPC gives the transaction of a kill')
      claim.proof = attempt + 1 < proofAttempts ? 'sought' : 'unsought'
    }
    proving.set(rpc, (proving.get(rpc) ?? 1) - 1)
    if (claim.proof === 'found') sightAll(claim)
    else if (claim.proof === 'sought') {
      schedule(backoff(attempt, 100, 1_000, random()), () => {
        if (!counts(claim)) void seekProof(claim, txHash, rpc, attempt + 1)
      })
    } else if (!counts(claim))
      log.warn(
        { rpc: rpcLabel(rpc.url), txHash },
        'one RPC tells a kill that it cannot prove, waiting for another',
      )
  }

  /** Its proof is under way, or something of it is still to be handed over. */
  const isPending = ({ proof, blocks }: Claim): boolean =>
    proof === 'sought' || (proof === 'found' && [...blocks.values()].some(({ sighted }) => !sighted))

  /** An RPC that makes up kills without end forgets what it alone has told. */
  const remember = (key: string, rpc: Rpc) => {
    const own = toldFirst.get(rpc) ?? new Set()
    toldFirst.set(rpc, own.add(key))
    for (const oldest of own) {
      if (own.size <= maxClaims) break
      const claim = claims.get(oldest)
      if (claim?.tellers.size === 1) {
        if (isPending(claim)) continue
        claims.delete(oldest)
      }
      own.delete(oldest)
    }
  }

  return {
    tell(block, rpc) {
      if (stopped || isHeld(block)) return
      for (const { event, txHash } of block.events) {
        if (event.type !== 'Killed') continue
        const key = keyOf(event, txHash)
        let claim = claims.get(key)
        if (claim === undefined) {
          claim = { tellers: new Set(), event, blocks: new Map(), proof: 'unsought' }
          claims.set(key, claim)
          remember(key, rpc)
        }
        claim.tellers.add(rpc)
        if (!claim.blocks.has(block.hash) && claim.blocks.size < maxBlocks)
          claim.blocks.set(block.hash, { block, sighted: false })
        if (claim.proof === 'found') void sight(block)
        else if (counts(claim)) {
          const counted = claim
          schedule(grace, () => sightAll(counted))
        } else if (claim.proof === 'unsought') void seekProof(claim, txHash, rpc)
      }
    },
    forget(number) {
      for (const [key, claim] of claims) {
        for (const [hash, { block }] of claim.blocks) if (block.number <= number) claim.blocks.delete(hash)
        if (claim.blocks.size > 0) continue
        claims.delete(key)
        for (const own of toldFirst.values()) own.delete(key)
      }
    },
    stop() {
      stopped = true
    },
  }
}

/** One kill, wherever a reorg puts it: its sequence and place may change, its transaction does not. */
const keyOf = ({ sequence: _, ...event }: KilledEvent, txHash: string): string =>
  `${txHash} ${sameEvents(event)}`
