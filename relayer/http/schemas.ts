import { z } from '@hono/zod-openapi'
import type { Hex } from '../../protocol/hex.ts'
import type { KillOrder } from '../../protocol/order.ts'
import type { Scope } from '../../protocol/scope.ts'

const lowerHex = (bytes: number, what: string) =>
  z
    .string()
    .regex(
      new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`),
      `must be ${what}: 0x and ${bytes * 2} hexadecimal digits`,
    )
    .transform((value) => value.toLowerCase() as Hex)

const decimal = (bits: number) =>
  z
    .string()
    .regex(/^(0|[1-9][0-9]{0,77})$/, 'must be an integer as a decimal string')
    .transform((value) => BigInt(value))
    .refine((value) => value < 1n << BigInt(bits), `must fit ${bits} bits`)

export const orderSchema = z
  .object({
    authority: lowerHex(20, 'a wallet'),
    scope: z
      .number()
      .int()
      .min(0)
      .max(3)
      .transform((value) => value as Scope),
    subject: lowerHex(32, 'a subject'),
    reason: z.number().int().min(0).max(0xffff),
    text: z.string().max(256),
    issuedAt: decimal(64),
    deadline: decimal(64),
    nonce: decimal(256),
  })
  .strict()
  .openapi('KillOrder', { description: 'The EIP-712 message; integers over 16 bits as decimal strings' })

const shared = {
  reason: z.number().int().min(0).max(0xffff).openapi({ description: 'must equal order.reason' }),
  deployment: z.string().max(100).optional().openapi({
    description: 'the deployment that the order was signed for',
    example: 'eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3',
  }),
  order: orderSchema,
  signature: z
    .string()
    .regex(/^0x([0-9a-fA-F]{2}){1,4096}$/, 'must be hexadecimal with 0x, at most 4,096 bytes')
    .transform((value) => value.toLowerCase() as Hex),
}

export const killRequestSchema = z
  .object({ spiffeId: z.string().max(2048), ...shared })
  .strict()
  .openapi('KillRequest')
export const emergencyKillRequestSchema = z
  .object({ wallet: lowerHex(20, 'a wallet'), ...shared })
  .strict()
  .openapi('EmergencyKillRequest')

export const orderOf = (parsed: z.output<typeof orderSchema>): KillOrder => parsed

export const killAnswerSchema = z
  .object({
    killId: z.string(),
    state: z.string(),
    seenAt: z.number(),
    durableAt: z.number().nullable(),
    publishedAt: z.number().nullable(),
  })
  .openapi('KillAnswer')

const nullableTime = z.number().nullable().openapi({ description: 'ms' })

export const killSchema = z
  .object({
    id: z.string(),
    scope: z.string(),
    subject: z.string(),
    label: z.string(),
    authority: z.string(),
    rank: z.string(),
    reason: z.number(),
    reasonName: z.string(),
    text: z.string(),
    origin: z.enum(['block', 'order']),
    digest: z.string().nullable(),
    state: z.enum(['enforced', 'on chain', 'final', 'withdrawn']),
    timeline: z.object({
      seenAt: z.number(),
      durableAt: nullableTime,
      publishedAt: nullableTime,
      onChainAt: nullableTime,
      finalAt: nullableTime,
      withdrawnAt: nullableTime,
      withdrawnBecause: z
        .enum(['burnt', 'superseded', 'dropped by a reorg'])
        .nullable()
        .openapi({ description: 'superseded: issued before the request of a resume that was executed' }),
      txHash: z.string().nullable(),
      sendError: z
        .string()
        .nullable()
        .openapi({ description: 'why the order is not on chain yet, or will not be' }),
      orphanedFrom: z
        .number()
        .nullable()
        .openapi({ description: 'number of the block that held it before a reorg' }),
      rebroadcast: z
        .object({ txHash: z.string(), at: z.number(), error: z.string().nullable(), done: z.boolean() })
        .nullable()
        .openapi({
          description: 'the orphaned transaction was sent again; done: a node holds it, or none ever will',
        }),
    }),
    elapsed: z.object({
      durable: nullableTime,
      published: nullableTime,
      onChain: nullableTime,
      final: nullableTime,
      allConfirmed: nullableTime,
    }),
    seenMonotonic: z.number(),
    points: z.array(
      z.object({
        spiffeId: z.string(),
        state: z.enum(['pending', 'confirmed', 'overdue', 'closed by staleness']),
        confirmedAt: nullableTime,
        confirmedAfter: nullableTime,
      }),
    ),
  })
  .openapi('Kill')

export const svidAnswerSchema = z
  .object({
    svid: z.string().openapi({ description: 'PEM chain' }),
    bundle: z.string().openapi({ description: 'PEM' }),
    expiresAt: z.number(),
    generation: z.number(),
  })
  .openapi('Svid')

export const agentSchema = z
  .object({
    uuid: z.string(),
    spiffeId: z.string().nullable().openapi({ description: 'null until the agent is complete' }),
    owner: z.string(),
    agentType: z.string().nullable().openapi({ description: 'null until the agent is complete' }),
    state: z.enum(['alive', 'killing', 'killed']),
    hasPlace: z
      .boolean()
      .openapi({ description: "whether it has a place of its owner's quota here, and is asked for none" }),
    kill: z.object({ scope: z.string(), rank: z.string(), since: z.number(), reason: z.number() }).nullable(),
    svid: z.object({ expiresAt: z.number(), issuedAt: z.number(), generation: z.number() }).nullable(),
    lastAccessAt: nullableTime,
    lastOutcome: z.string().nullable(),
    requestsPerSecond: z.number(),
  })
  .openapi('Agent')

/** One reported access; equal ones of a batch are counted together. */
export const accessSchema = z
  .object({
    point: z.string(),
    at: z.number(),
    method: z.string(),
    path: z.string(),
    status: z.number(),
    outcome: z.string(),
    count: z.number(),
  })
  .openapi('Access')
