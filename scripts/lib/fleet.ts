import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createWalletClient, http, type PrivateKeyAccount, toHex } from 'viem'
import { deriveAgentId } from '../../protocol/agentId.ts'
import type { Deployment } from '../../protocol/deployment.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { formatSpiffeId } from '../../protocol/spiffeId.ts'
import { uuidFromAgentId } from '../../protocol/uuid.ts'
import type { LocalChain } from './localChain.ts'

/** A registered agent with the key that it attests with. */
export type FleetAgent = {
  readonly spiffeId: string
  readonly uuid: string
  /** Ed25519, PKCS #8 in PEM. */
  readonly privateKey: string
}

/** Names for agents of a demo. */
const agentTypes = ['trader', 'scraper', 'support', 'planner'] as const

/** Largest batch in one transaction: about 150,000 gas per agent, 30 million per block. */
const batch = 100

/** Registers agents to a wallet, with fresh keys. */
export async function registerAgents(options: {
  readonly chain: LocalChain
  readonly deployment: Deployment
  readonly trustDomain: string
  readonly owner: PrivateKeyAccount
  readonly count: number
}): Promise<readonly FleetAgent[]> {
  const { chain, deployment, owner, trustDomain } = options
  const agents = Array.from({ length: options.count }, (_, index) => {
    const agentType = agentTypes[index % agentTypes.length] as string
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const salt = toHex(randomBytes(32))
    const uuid = uuidFromAgentId(deriveAgentId(deployment, owner.address, salt))
    return {
      registration: {
        agentType,
        key: toHex(Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url')),
        salt,
      },
      agent: {
        uuid,
        spiffeId: formatSpiffeId({ trustDomain, type: agentType, name: uuid }),
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      },
    }
  })
  const wallet = createWalletClient({ account: owner, chain: chain.client.chain, transport: http(chain.rpc) })
  for (let start = 0; start < agents.length; start += batch) {
    const hash = await wallet.writeContract({
      address: deployment.contract,
      abi: killSwitchAbi,
      functionName: 'registerBatch',
      args: [agents.slice(start, start + batch).map(({ registration }) => registration)],
    })
    const { status } = await chain.client.waitForTransactionReceipt({ hash })
    if (status !== 'success') throw new Error(`registerBatch ${hash} was reverted`)
  }
  return agents.map(({ agent }) => agent)
}
