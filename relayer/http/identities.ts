import { createRoute, z } from '@hono/zod-openapi'
import type { AttestationRequest } from '../identity/attest.ts'
import { IssuanceRefusedError } from '../identity/issuanceRefused.ts'
import type { SvidRecord } from '../identity/svidRecord.ts'
import type { Application } from './application.ts'
import { problemSchema } from './problem.ts'
import { svidAnswerSchema } from './schemas.ts'

const base64url = z.string().regex(/^[A-Za-z0-9_-]{1,200}$/, 'must be base64url without padding')
const csr = z.string().max(8192).openapi({ description: 'PKCS#10, PEM, P-256' })
const problem = { description: 'problem', content: { 'application/problem+json': { schema: problemSchema } } }
const svidAnswer = {
  200: { description: 'the SVID', content: { 'application/json': { schema: svidAnswerSchema } } },
  400: problem,
  401: problem,
  402: problem,
  403: problem,
  404: problem,
  503: problem,
}

export const answerSvid = (svid: SvidRecord, bundle: string) => ({
  svid: svid.certificate,
  bundle,
  expiresAt: svid.expiresAt,
  generation: svid.generation,
})

function tokenOf(authorization: string | undefined): string {
  const token = /^Bearer ([A-Za-z0-9._-]{1,2000})$/.exec(authorization ?? '')?.[1]
  if (token !== undefined) return token
  throw new IssuanceRefusedError(
    'bad token',
    'authorization',
    '',
    "send the operator's token as Authorization: Bearer",
  )
}

/** Attestation and enrolment: how workloads come by their first SVID. */
export function addIdentityRoutes(
  app: Application,
  parts: {
    readonly challenge: () => { readonly challenge: string; readonly expiresAt: number }
    readonly attest: (request: AttestationRequest) => Promise<SvidRecord>
    readonly enrol: (token: string, csr: string) => Promise<SvidRecord>
    readonly withdraw: (token: string) => Promise<string>
    /** PEM */
    readonly bundle: () => string
  },
): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/agents/challenges',
      summary: 'A challenge to sign for attestation',
      responses: {
        200: {
          description: 'the challenge',
          content: {
            'application/json': { schema: z.object({ challenge: z.string(), expiresAt: z.number() }) },
          },
        },
      },
    }),
    (context) => context.json(parts.challenge(), 200),
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/agents/attest',
      summary: 'Prove the registered key, get an X.509-SVID',
      request: {
        body: {
          required: true,
          content: {
            'application/json': {
              schema: z
                .object({ spiffeId: z.string().max(2048), challenge: base64url, proof: base64url, csr })
                .strict(),
            },
          },
        },
      },
      responses: svidAnswer,
    }),
    async (context) =>
      context.json(answerSvid(await parts.attest(context.req.valid('json')), parts.bundle()), 200),
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/enrolments',
      summary: 'Trade a one-use operator token for a service SVID',
      security: [{ enrolmentToken: [] }],
      request: {
        body: { required: true, content: { 'application/json': { schema: z.object({ csr }).strict() } } },
      },
      responses: svidAnswer,
    }),
    async (context) =>
      context.json(
        answerSvid(
          await parts.enrol(tokenOf(context.req.header('authorization')), context.req.valid('json').csr),
          parts.bundle(),
        ),
        200,
      ),
  )

  app.openapi(
    createRoute({
      method: 'delete',
      path: '/enrolments',
      summary: 'End the enrolment that the operator’s token names',
      security: [{ enrolmentToken: [] }],
      responses: {
        200: {
          description: 'withdrawn',
          content: { 'application/json': { schema: z.object({ spiffeId: z.string() }) } },
        },
        401: problem,
        404: problem,
      },
    }),
    async (context) =>
      context.json({ spiffeId: await parts.withdraw(tokenOf(context.req.header('authorization'))) }, 200),
  )
  app.openAPIRegistry.registerComponent('securitySchemes', 'enrolmentToken', {
    type: 'http',
    scheme: 'bearer',
  })
}
