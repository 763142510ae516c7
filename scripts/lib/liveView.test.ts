import { describe, expect, it } from 'vitest'
import { createChangeLog, type FleetLine, fleetLines } from './liveView.ts'

const line = (change: Partial<FleetLine> = {}): FleetLine => ({
  spiffeId: 'spiffe://killswitch.local/trader/a',
  wallet: 'alice',
  state: 'running',
  perSecond: 4,
  last: '200',
  ...change,
})
const killed = { state: 'killed', perSecond: 0, last: '403 killed: drill' } as const

describe('fleetLines', () => {
  it('says the state by shape and word, without colours if need be', () => {
    expect(fleetLines([line(), line({ wallet: 'bob', ...killed })], { columns: 120, colors: false })).toEqual(
      [
        '● running   alice  spiffe://killswitch.local/trader/a    4.0/s  200',
        '■ killed    bob    spiffe://killswitch.local/trader/a    0.0/s  403 killed: drill',
      ],
    )
  })

  it('never breaks a line', () => {
    const [cut] = fleetLines([line({ last: 'x'.repeat(500) })], { columns: 60, colors: false })
    expect(cut).toHaveLength(60)
    expect(cut?.endsWith('…')).toBe(true)
  })

  it('shortens SPIFFE IDs where they do not fit', () => {
    const spiffeId = 'spiffe://killswitch.local/trader/4ac6855e-1dae-827f-9b37-1753198ebe36'
    expect(fleetLines([line({ spiffeId })], { columns: 80, colors: false })).toEqual([
      '● running   alice  trader/4ac6855e    4.0/s  200',
    ])
  })

  it('colours the state only', () => {
    const [text] = fleetLines([line(killed)], { columns: 120, colors: true })
    expect(text?.startsWith('\u001b[31m■ killed  \u001b[0m  alice')).toBe(true)
  })
})

describe('createChangeLog', () => {
  it('says what changed, once, and nothing of rates', () => {
    const changes = createChangeLog()
    expect(changes([line()])).toHaveLength(1)
    expect(changes([line({ perSecond: 3.5 })])).toEqual([])
    expect(changes([line(killed)])).toEqual([
      '■ killed    alice  spiffe://killswitch.local/trader/a  403 killed: drill',
    ])
    expect(changes([line(killed)])).toEqual([])
    expect(changes([line()])).toHaveLength(1)
  })
})
