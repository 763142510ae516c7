/** Seeded randomness: equal seeds give equal draws, on every machine. */
export type Random = {
  /** In [0, 1). */
  next(): number
  /** An integer in [0, below). */
  int(below: number): number
  /** In [from, to). */
  between(from: number, to: number): number
  chance(probability: number): boolean
  /** @throws {RangeError} for an empty list */
  pick<T>(list: readonly T[]): T
  shuffled<T>(list: readonly T[]): T[]
  /** Lower-case hexadecimal digits. */
  hex(digits: number): string
  uuid(): string
}

/** sfc32, by Chris Doty-Humphrey (PractRand): 128 bits of state, passes PractRand and BigCrush. */
export function createRandom(seed: number): Random {
  let a = 0x9e3779b9 ^ seed
  let b = 0x243f6a88
  let c = Math.floor(seed / 2 ** 32) | 0
  let d = 1
  const draw = (): number => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return t >>> 0
  }
  for (let i = 0; i < 15; i++) draw()

  const next = () => draw() / 2 ** 32
  const int = (below: number) => Math.floor(next() * below)
  const hex = (digits: number): string => {
    let text = ''
    while (text.length < digits) text += draw().toString(16).padStart(8, '0')
    return text.slice(0, digits)
  }
  return {
    next,
    int,
    between: (from, to) => from + next() * (to - from),
    chance: (probability) => next() < probability,
    pick(list) {
      if (list.length === 0) throw new RangeError('nothing to pick from')
      return list[int(list.length)] as (typeof list)[number]
    },
    shuffled(list) {
      const copy = [...list]
      for (let i = copy.length - 1; i > 0; i--) {
        const j = int(i + 1)
        const held = copy[i] as (typeof copy)[number]
        copy[i] = copy[j] as (typeof copy)[number]
        copy[j] = held
      }
      return copy
    },
    hex,
    uuid: () => hex(32).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5'),
  }
}
