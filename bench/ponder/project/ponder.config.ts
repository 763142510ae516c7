// The same chain, contract and event as the relayer has, with Ponder's defaults: PGlite as the database, and the
// WebSocket for new heads, which it recommends. Without the cache of RPC answers, which would be empty anyway.
import { createConfig } from 'ponder'
import { killSwitchAbi } from './killSwitchAbi.ts'
import { settings } from './settings.ts'

export default createConfig({
  chains: { anvil: { id: settings.chainId, rpc: settings.rpc, ws: settings.wsRpc } },
  contracts: {
    KillSwitch: {
      chain: 'anvil',
      abi: killSwitchAbi,
      address: settings.contract,
      startBlock: settings.startBlock,
    },
  },
})
