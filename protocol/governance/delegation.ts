import { type Hex, isAddress, isHex } from 'viem'

/** What the holder of tokens signs so that another can send the delegation (`delegateBySig`); expiry in Unix seconds. */
export type Delegation = { readonly delegatee: Hex; readonly nonce: bigint; readonly expiry: bigint }

/** Of which token, on which chain. */
export type DelegationPlace = { readonly chainId: number; readonly token: Hex }

/** A delegation that somebody signed, to be sent by anybody. */
export type SignedDelegation = Delegation & DelegationPlace & { readonly signature: Hex }

/** EIP-712 of KillswitchToken (`ERC20Permit("Killswitch")`, version 1). */
export const delegationTypedData = (
  { chainId, token }: DelegationPlace,
  { delegatee, nonce, expiry }: Delegation,
) =>
  ({
    domain: { name: 'Killswitch', version: '1', chainId, verifyingContract: token },
    types: {
      Delegation: [
        { name: 'delegatee', type: 'address' },
        { name: 'nonce', type: 'uint256' },
        { name: 'expiry', type: 'uint256' },
      ],
    },
    primaryType: 'Delegation',
    message: { delegatee, nonce, expiry },
  }) as const

/** A text that holds no signed delegation of this token. */
export class DelegationTextError extends Error {
  override readonly name = 'DelegationTextError'
  readonly field: string
  constructor(field: string, why: string) {
    super(`${field}: ${why}; ask the holder to copy the signed delegation once more`)
    this.field = field
  }
}

/** As it is handed over. */
export const writeSignedDelegation = (signed: SignedDelegation): string =>
  JSON.stringify({ ...signed, nonce: signed.nonce.toString(), expiry: signed.expiry.toString() }, null, 2)

/** @param place where it has to count @throws {DelegationTextError} */
export function readSignedDelegation(text: string, place: DelegationPlace): SignedDelegation {
  let fields: Readonly<Record<string, unknown>>
  try {
    const json: unknown = JSON.parse(text)
    fields = typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {}
  } catch {
    throw new DelegationTextError('text', 'it is no JSON')
  }
  const address = (name: string): Hex => {
    const value = fields[name]
    if (typeof value !== 'string' || !isAddress(value, { strict: false }))
      throw new DelegationTextError(name, 'it must be an address')
    return value.toLowerCase() as Hex
  }
  const number = (name: string): bigint => {
    const value = fields[name]
    if (typeof value !== 'string' || !/^\d{1,78}$/.test(value))
      throw new DelegationTextError(name, 'it must be a whole number as text')
    return BigInt(value)
  }
  const { signature, chainId } = fields
  if (!isHex(signature) || signature.length !== 132)
    throw new DelegationTextError('signature', 'it must have 65 bytes in hexadecimal')
  const token = address('token')
  if (chainId !== place.chainId || token !== place.token)
    throw new DelegationTextError(
      'token',
      `it is for ${token} on chain ${String(chainId)}, not for this token`,
    )
  return {
    chainId: place.chainId,
    token,
    delegatee: address('delegatee'),
    nonce: number('nonce'),
    expiry: number('expiry'),
    signature,
  }
}
