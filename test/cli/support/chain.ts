import { network } from 'hardhat'
import { createTestClient, http, type PrivateKeyAccount, publicActions, toHex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { type Deployed, deployContracts } from '../../../scripts/lib/deployContracts.ts'

export const trustDomain = 'killswitch.test'
export const cooldown = 600

export type TestChain = {
  readonly rpc: string
  readonly deployed: Deployed
  readonly governance: PrivateKeyAccount
  /** A new key with money. */
  newAccount(): Promise<{ readonly key: `0x${string}`; readonly account: PrivateKeyAccount }>
  setCode(address: `0x${string}`, bytecode: `0x${string}`): Promise<void>
  /** Lets time pass on the chain, in seconds. */
  pass(seconds: number): Promise<void>
  close(): Promise<void>
}

/** Hardhat's JSON-RPC server in this process, with a KillSwitch; every transaction is mined at once. */
export async function startChain(): Promise<TestChain> {
  const server = await network.createServer({
    network: 'local',
    override: { type: 'edr-simulated', mining: { auto: true, interval: 0 } } as never,
  })
  const { port } = await server.listen()
  const rpc = `http://127.0.0.1:${port}`
  const transport = http(rpc)
  const client = createTestClient({ mode: 'hardhat', transport }).extend(publicActions)
  const newAccount = async () => {
    const key = generatePrivateKey()
    const account = privateKeyToAccount(key)
    await client.request({ method: 'hardhat_setBalance', params: [account.address, toHex(10n ** 20n)] })
    return { key, account }
  }
  const { account: governance } = await newAccount()
  const deployed = await deployContracts({
    transport,
    account: governance,
    pollingInterval: 20,
    config: {
      trustDomain,
      governance: governance.address,
      council: null,
      emergencyGovernor: null,
      minCooldown: 60,
      cooldowns: { breaker: cooldown, owner: cooldown, council: cooldown, governance: cooldown },
    },
  })
  return {
    rpc,
    deployed,
    governance,
    newAccount,
    setCode: (address, bytecode) => client.setCode({ address, bytecode }),
    async pass(seconds) {
      await client.increaseTime({ seconds })
      await client.mine({ blocks: 1 })
    },
    close: () => server.close(),
  }
}
