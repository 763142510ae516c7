import process from 'node:process'

/** Clients that stand for many: each in its own network of addresses. */
const networks = { agents: 1, subscribers: 2, flood: 3 } as const

/** How many addresses each kind has. */
const addresses = 250

/**
 * An address to call from. Relayers limit what one address may do, so clients that stand for many must not share one.
 * On Linux all of 127.0.0.0/8 is this machine; elsewhere it is undefined, and the limits hold for all together.
 */
export const loopbackAddress = (kind: keyof typeof networks, index: number): string | undefined =>
  process.platform === 'linux' ? `127.0.${networks[kind]}.${1 + (index % addresses)}` : undefined
