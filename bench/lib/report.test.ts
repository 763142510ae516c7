import { describe, expect, it } from 'vitest'
import { figureLines, missedFloors, shown, summarise } from './report.ts'

const specs = {
  latency: { text: 'latency', unit: 'ms', better: 'less', floor: 10, aim: 2 },
  rate: { text: 'rate', unit: '/s', better: 'more', floor: 1000, aim: 5000 },
  gas: { text: 'gas', unit: 'gas' },
} as const

describe('summarise', () => {
  it('judges the median, not the best run', () => {
    const figures = summarise(specs, [
      { latency: 1, rate: 900, gas: 5 },
      { latency: 11, rate: 990, gas: 5 },
      { latency: 12, rate: 6000, gas: 5 },
    ])
    expect(figures.latency).toMatchObject({
      median: 11,
      least: 1,
      most: 12,
      meetsFloor: false,
      meetsAim: false,
    })
    expect(figures.rate).toMatchObject({ median: 990, meetsFloor: false })
    expect(figures.gas).toMatchObject({ meetsFloor: null, meetsAim: null })
  })

  it('takes a limit that is just reached for met', () => {
    expect(summarise(specs, [{ latency: 10, rate: 1000 }])).toMatchObject({
      latency: { meetsFloor: true, meetsAim: false },
      rate: { meetsFloor: true, meetsAim: false },
    })
  })

  it('never takes a figure that could not be had for a good one', () => {
    const figures = summarise(specs, [{ rate: 2000 }])
    expect(missedFloors('kill', figures)).toEqual(['kill: latency is not had ms, the floor is 10 ms'])
  })
})

describe('the report', () => {
  it('names what missed its floor, and only that', () => {
    const figures = summarise(specs, [{ latency: 5, rate: 12.345, gas: 61_234 }])
    expect(missedFloors('issue', figures)).toEqual(['issue: rate is 12.3 /s, the floor is 1,000 /s'])
    expect(figureLines(figures).map((line) => line.replace(/ +/g, ' '))).toEqual([
      ' latency 5 ms floor 10 ms met, aim 2 ms not yet',
      ' rate 12.3 /s floor 1,000 /s MISSED, aim 5,000 /s not yet',
      ' gas 61,234 gas',
    ])
  })

  it.each([
    [0.123456, '0.123'],
    [1.2345, '1.23'],
    [123.456, '123'],
    [12_345.6, '12,346'],
    [0, '0'],
  ])('shows %s as %s', (value, text) => expect(shown(value)).toBe(text))
})
