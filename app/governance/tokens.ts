import { formatUnits } from 'viem'
import { whole } from '../format.ts'

/** Of KillswitchToken. */
const tokenDecimals = 18

/** An amount in the token's smallest unit, in tokens: `400,000`, `1,234.5`; at most two decimals, `< 0.01` below. */
export function tokens(amount: bigint, decimals = tokenDecimals): string {
  if (amount > 0n && amount < 10n ** BigInt(Math.max(0, decimals - 2))) return '< 0.01'
  const [integer = '0', fraction = ''] = formatUnits(amount, decimals).split('.')
  const shown = fraction.slice(0, 2).replace(/0+$/, '')
  return `${whole(BigInt(integer))}${shown === '' ? '' : `.${shown}`}`
}

/** A share of the supply: `40 %`, `0.05 %`, `< 0.01 %`. */
export function share(amount: bigint, supply: bigint): string {
  if (supply === 0n || amount === 0n) return '0 %'
  const hundredths = Number((amount * 10_000n) / supply)
  return hundredths === 0 ? '< 0.01 %' : `${hundredths / 100} %`
}
