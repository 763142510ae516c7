import type { Metric } from './metrics.ts'

/** How the gas key stands; nothing where there is none, or before its first answer. */
export const gasMetrics = (
  state: { readonly balance: bigint; readonly needed: bigint; readonly low: boolean } | null,
): readonly Metric[] =>
  state === null
    ? []
    : [
        {
          name: 'killswitch_gas_balance_wei',
          help: 'Balance of the key that pays for landing orders',
          type: 'gauge',
          value: Number(state.balance),
        },
        {
          name: 'killswitch_gas_needed_wei',
          help: 'Balance below which the alarm sounds, at the present price of gas',
          type: 'gauge',
          value: Number(state.needed),
        },
        {
          name: 'killswitch_gas_low',
          help: '1 while the balance is below that',
          type: 'gauge',
          value: state.low ? 1 : 0,
        },
      ]
