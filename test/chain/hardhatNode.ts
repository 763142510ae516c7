import { network } from 'hardhat'
import { type ChainNode, nodeAt } from './anvil.ts'

/** Hardhat's own JSON-RPC server in this process. */
export async function startHardhat(): Promise<ChainNode> {
  const server = await network.createServer({
    network: 'local',
    override: { mining: { auto: true, interval: 0 } },
  })
  const { port } = await server.listen()
  return { ...nodeAt(port), stop: () => server.close() }
}
