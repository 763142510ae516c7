import { encodeAbiParameters, keccak256 } from 'viem'
import type { Deployment } from './deployment.ts'
import type { Hex } from './hex.ts'
import { uuidV8OfHash } from './uuid.ts'

/**
 * The id that a registrant gets for a salt (32 bytes) in a deployment: twin of `KillSwitch.deriveAgentId`.
 * Known before the registration, and to nobody else's use: the registrant is part of it.
 */
export const deriveAgentId = (deployment: Deployment, registrant: Hex, salt: Hex): bigint =>
  uuidV8OfHash(
    BigInt(
      keccak256(
        encodeAbiParameters(
          [{ type: 'uint256' }, { type: 'address' }, { type: 'address' }, { type: 'bytes32' }],
          [BigInt(deployment.chainId), deployment.contract, registrant, salt],
        ),
      ),
    ),
  )
