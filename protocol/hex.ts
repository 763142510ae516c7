/** Lower-case hexadecimal with `0x`, the only spelling in which bytes are compared or stored. */
export type Hex = `0x${string}`
