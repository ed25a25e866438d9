/** Turns of the event loop: what waits for the next one, and how long. */
import { expect, test } from 'vitest'
import { type Speaker, Turn } from './turn.js'

interface Slice {
  readonly who: string
  readonly begun: number
  readonly ended: number
}

/** Says so many messages, each of which takes so long. */
function speaker(turn: Turn, who: string, options: { says: number; takes: number; isDoubtful?: boolean }) {
  const { says, takes, isDoubtful = false } = options
  const slices: Slice[] = []
  const over = new Promise<readonly Slice[]>((resolve) => {
    let left = says
    const one: Speaker = {
      isDoubtful,
      flush: () => {},
      proceed() {
        const begun = performance.now()
        do turn.spend(() => busy(takes))
        while (--left > 0 && !turn.isSpent)
        slices.push({ who, begun, ended: performance.now() })
        if (left > 0) turn.hold(one)
        else resolve(slices)
      },
    }
    turn.hold(one)
  })
  return { slices, over }
}

function busy(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end) {}
}

/** Between a slice and the next one of the same. */
function rests(slices: readonly Slice[]): readonly number[] {
  return slices.slice(1).map(({ begun }, i) => begun - slices[i]!.ended)
}

/** A timer of Node may fire that much early, ms. */
const EARLY = 1.5

test('messages that wait are handled in slices, and those who wait take turns', async () => {
  const turn = new Turn()
  const order: string[] = []
  const all = ['a', 'b', 'c'].map((who) => speaker(turn, who, { says: 40, takes: 0.3 }))
  const slices = (await Promise.all(all.map(({ over }) => over))).flat()
  for (const { who } of [...slices].sort((x, y) => x.begun - y.begun)) order.push(who)
  expect(order.slice(0, 9).join('')).toBe('abcabcabc')
  expect(order.length).toBeGreaterThan(3 * 5)
})

test('the turn is not spent before the slice is, and fresh in the next one', async () => {
  const turn = new Turn()
  expect(turn.isSpent).toBe(false)
  turn.spend(() => busy(2))
  expect(turn.isSpent).toBe(true)
  await new Promise(setImmediate)
  expect(turn.isSpent).toBe(false)
})

test('after a message that took long others have as long', async () => {
  const slices = await speaker(new Turn(), 'a', { says: 5, takes: 10 }).over
  expect(slices).toHaveLength(5)
  for (const rest of rests(slices)) expect(rest).toBeGreaterThan(10 - 1 - EARLY)
})

test('peers that are mostly refused have a quarter of the time together', async () => {
  const turn = new Turn()
  const options = { says: 4, takes: 5, isDoubtful: true }
  const all = [speaker(turn, 'a', options), speaker(turn, 'b', options)]
  const slices = (await Promise.all(all.map(({ over }) => over))).flat()
  expect(slices).toHaveLength(8)
  const inTime = slices.sort((x, y) => x.begun - y.begun)
  for (const rest of rests(inTime)) expect(rest).toBeGreaterThan(3 * 5 - EARLY)
})

test('they do not hold up others', async () => {
  const turn = new Turn()
  const doubtful = speaker(turn, 'a', { says: 10, takes: 5, isDoubtful: true })
  const honest = speaker(turn, 'b', { says: 10, takes: 1.1 })
  await honest.over
  expect(doubtful.slices.length).toBeLessThan(10)
  expect(await doubtful.over).toHaveLength(10)
})
