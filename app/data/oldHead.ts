/** Beyond this the chain's head counts as old, in ms: the node may have stopped following the chain. */
const oldHead = 60_000

/** @param headTime Unix seconds, of the chain @param now ms, of this machine */
export const isOldHead = (headTime: number, now: number): boolean => now - headTime * 1000 > oldHead
