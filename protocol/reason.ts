/** Reason codes of kills; 0xff00 and above belong to the contract. */
export const Reason = {
  Unspecified: 0,
  Compromised: 1,
  Misbehaving: 2,
  PolicyViolation: 3,
  Retired: 4,
  Drill: 5,
  Transferred: 0xff01,
} as const

export const firstReservedReason = 0xff00

/** Longest free text of a kill, in bytes of UTF-8. */
export const maxTextBytes = 256

/** The words of a code; codes that this version does not know keep their number. */
export function reasonName(code: number): string {
  const known = Object.entries(Reason).find(([, value]) => value === code)
  return known === undefined
    ? `reason ${code}`
    : known[0].replace(/(?<!^)[A-Z]/g, (c) => ` ${c}`).toLowerCase()
}
