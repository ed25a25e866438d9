/** Leases against the plainest book of the same: every event in one list, looked through each time. */
import { seededRandom } from '@aetherkit/core/testing'
import { expect, test } from 'vitest'
import { Leases } from './leases.js'

interface Row {
  count: number
  holder: Holder | undefined
  due: number | undefined
}
interface Holder {
  readonly held: Set<bigint>
}

const SEED = Number(process.env.AETHER_LEASES_SEED ?? Date.now() % 2 ** 31)

test(`does as a plain list does, seed ${SEED}`, () => {
  const random = seededRandom(SEED)
  const below = (n: number) => Math.floor(random() * n)
  for (let run = 0; run < 30; run++) {
    const leases = new Leases<Holder>()
    const holders: Holder[] = Array.from({ length: 3 }, () => ({ held: new Set() }))
    const rows = new Map<bigint, Row>()
    let now = 0
    const readyOf = () =>
      [...rows]
        .filter(([, { holder, due }]) => holder === undefined && due === undefined)
        .map(([seq]) => seq)
        .sort((a, b) => (a < b ? -1 : 1))
    for (let step = 0; step < 100; step++) {
      const seq = BigInt(below(20))
      const row = rows.get(seq)
      const holder = holders[below(3)]!
      const action = below(5)
      if (action === 0 && row === undefined) {
        rows.set(seq, { count: 1, holder, due: now + 5 })
        expect(leases.lease(seq, holder, now + 5)).toBe(1)
      } else if (action === 1) {
        const first = leases.takeReady()
        expect(first).toBe(readyOf()[0])
        if (first === undefined) continue
        const taken = rows.get(first)!
        Object.assign(taken, { count: taken.count + 1, holder, due: now + 5 })
        expect(leases.lease(first, holder, now + 5)).toBe(taken.count)
      } else if (action === 2 && row?.holder !== undefined) {
        const due = below(2) === 0 ? undefined : now + below(9)
        Object.assign(row, { holder: undefined, due })
        leases.release(seq, due)
      } else if (action === 3) {
        expect(leases.done(seq)).toBe(row?.holder)
        rows.delete(seq)
      } else {
        now += below(4)
        const { lost, next } = leases.expire(now)
        const due = [...rows.values()].filter((each) => each.due !== undefined && each.due <= now)
        expect(lost.length).toBe(due.filter((each) => each.holder !== undefined).length)
        for (const each of due) Object.assign(each, { holder: undefined, due: undefined })
        const left = [...rows.values()].flatMap((each) => each.due ?? [])
        expect(next).toBe(left.length === 0 ? undefined : Math.min(...left))
      }
      expect(leases.size).toBe(rows.size)
      expect(leases.leased).toBe([...rows.values()].filter((each) => each.holder !== undefined).length)
      for (const each of holders)
        expect([...each.held].sort()).toEqual(
          [...rows]
            .filter(([, one]) => one.holder === each)
            .map(([one]) => one)
            .sort(),
        )
    }
    for (const expected of readyOf()) expect(leases.takeReady()).toBe(expected)
    expect(leases.takeReady()).toBeUndefined()
  }
})
