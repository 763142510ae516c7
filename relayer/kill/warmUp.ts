import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import type { Deployment } from '../../protocol/deployment.ts'
import type { Hex } from '../../protocol/hex.ts'
import { type KillOrder, killOrderDigest } from '../../protocol/order.ts'
import { fleetTarget } from '../../protocol/scope.ts'

/** Rounds until the compiler has settled; the first check costs several times a later one. */
const rounds = 20

/** Checks throwaway orders, so that the first real one does not wait for secp256k1's tables and the compiler. */
export async function warmUp(
  deployment: Deployment,
  verifySignature: (authority: Hex, digest: Hex, signature: Hex) => Promise<boolean>,
): Promise<void> {
  const account = privateKeyToAccount(generatePrivateKey())
  for (let round = 0; round < rounds; round += 1) {
    const order: KillOrder = {
      ...fleetTarget,
      authority: account.address,
      reason: 0,
      text: '',
      issuedAt: 0n,
      deadline: 1n,
      nonce: BigInt(round),
    }
    const digest = killOrderDigest(deployment, order)
    await verifySignature(account.address, digest, await account.sign({ hash: digest }))
  }
}
