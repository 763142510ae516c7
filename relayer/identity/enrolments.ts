import { isReservedType, parseSpiffeId } from '../../protocol/spiffeId.ts'
import { createSerial } from '../serial.ts'
import { spkiOf } from './attest.ts'
import type { Issuance } from './issuance.ts'
import { IssuanceRefusedError } from './issuanceRefused.ts'
import { type OperatorStatement, openStatement } from './operatorStatement.ts'
import type { SvidRecord } from './svidRecord.ts'
import type { Workload } from './workload.ts'

export type Enrolments = {
  /** Trades an operator's one-use token for a workload's SVID. @throws {IssuanceRefusedError} */
  enrol(token: string, csr: string): Promise<SvidRecord>
  /** Ends an enrolment: no renewal, no confirmation any more. @returns whose it was. @throws {IssuanceRefusedError} */
  withdraw(token: string): Promise<string>
  /** Since when a workload is enrolled, in ms; null when it is not. */
  enrolledSince(spiffeId: string): number | null
}

const badToken = (value: string, detail: string) =>
  new IssuanceRefusedError('bad token', 'authorization', value, detail)

/** Workloads that the operator enrols: reserved types, each by a token of its own. */
export function createEnrolments(options: {
  readonly secret: Buffer
  readonly trustDomain: string
  readonly workloads: readonly Workload[]
  /** ms */
  readonly now: () => number
  readonly blind: () => boolean
  /** Marks a token as used; false if it was before. */
  readonly takeToken: (token: string, statement: OperatorStatement, now: number) => Promise<boolean>
  /** Makes an enrolment or its end durable, before it counts. */
  readonly write: (workload: Workload) => Promise<void>
  readonly issue: Issuance['enrolled']
}): Enrolments {
  const { secret, trustDomain, now, blind, takeToken, write, issue } = options
  const workloads = new Map(options.workloads.map((workload) => [workload.spiffeId, workload]))

  const keep = async (workload: Workload): Promise<void> => {
    await write(workload)
    workloads.set(workload.spiffeId, workload)
  }

  const enrolledSince = (spiffeId: string): number | null => {
    const workload = workloads.get(spiffeId)
    return workload?.withdrawnAt === null ? workload.enrolledAt : null
  }

  const read = (token: string, action: OperatorStatement['action']): OperatorStatement => {
    const statement = openStatement(secret, token)
    if (statement === null) throw badToken('', "this relayer's operator did not make the token")
    if (statement.action !== action)
      throw badToken(statement.action, `the token is made to ${statement.action}, not to ${action}`)
    if (statement.expiresAt < now())
      throw badToken(statement.spiffeId, 'the token has expired; ask the operator for another')
    const id = parseSpiffeId(statement.spiffeId)
    if (id.trustDomain !== trustDomain)
      throw badToken(statement.spiffeId, `the token is for another trust domain than ${trustDomain}`)
    if (!isReservedType(id.type))
      throw badToken(statement.spiffeId, 'the token is for an agent; agents attest with their registered key')
    return statement
  }

  const enrol = async (
    statement: OperatorStatement,
    token: string,
    spki: Uint8Array,
  ): Promise<SvidRecord> => {
    const { spiffeId } = statement
    const had = workloads.get(spiffeId)
    if (had?.withdrawnAt != null && statement.issuedAt <= had.withdrawnAt)
      throw badToken(
        spiffeId,
        'the token is from before the enrolment was withdrawn; ask the operator for another',
      )
    // Before the token is used up: it is good for one try only.
    if (blind())
      throw new IssuanceRefusedError(
        'blind',
        'relayer',
        'no new head',
        'the relayer has seen no new block for too long; try again with the same token',
      )
    const at = Math.round(now())
    if (!(await takeToken(token, statement, at)))
      throw badToken(spiffeId, 'the token was used before; ask the operator for another')
    await keep({ spiffeId, enrolledAt: at, withdrawnAt: null })
    return issue(spiffeId, spki)
  }

  const withdraw = async ({ spiffeId, issuedAt }: OperatorStatement): Promise<string> => {
    const had = workloads.get(spiffeId)
    if (had === undefined || had.withdrawnAt !== null)
      throw new IssuanceRefusedError('not enrolled', 'spiffeId', spiffeId, `${spiffeId} is not enrolled here`)
    // An old statement must not end an enrolment that the operator has made since.
    if (issuedAt <= had.enrolledAt)
      throw badToken(spiffeId, 'the token is from before the enrolment; make another')
    await keep({ ...had, withdrawnAt: Math.round(now()) })
    return spiffeId
  }

  // One after the other: an old token must not pass while the withdrawal that ends it is being written.
  const serial = createSerial()

  return {
    enrolledSince,

    async enrol(token, csr) {
      const spki = spkiOf(csr)
      const statement = read(token, 'enrol')
      return serial(() => enrol(statement, token, spki))
    },

    async withdraw(token) {
      const statement = read(token, 'withdraw')
      return serial(() => withdraw(statement))
    },
  }
}
