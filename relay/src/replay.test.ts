import type { Event, Filter } from '@aetherkit/core'
import { randomEvent, seededRandom } from '@aetherkit/core/testing'
import { describe, expect, test } from 'vitest'
import { LIMITS } from './limits.js'
import { type History, planReplay, Replay, type ReplayTarget } from './replay.js'
import { Ring } from './ring.js'
import { openMemoryStore } from './store/memory.js'

const random = seededRandom(7)
const made = (fields: Partial<Event> = {}): Event => ({
  ...randomEvent(random),
  kind: 1,
  createdAt: 5n,
  ...fields,
})

class World {
  readonly store = openMemoryStore()
  readonly ring: Ring
  readonly history: History
  seq = 0n

  constructor(maxEvents = 4) {
    this.ring = new Ring({ start: 0n, maxEvents })
    this.history = {
      store: this.store,
      ring: this.ring,
      limits: LIMITS,
      isHidden: () => false,
      oldest: () => undefined,
    }
  }

  /** An event that goes out, stored unless ephemeral. */
  async emit(event: Event = made()): Promise<Event> {
    const stored = { seq: ++this.seq, event }
    const kept = event.kind < 20000
    if (kept) await this.store.put([stored])
    this.ring.push(stored, kept)
    return event
  }
}

/** Records; stops the replay after `room` events until more is given. */
class Target implements ReplayTarget {
  readonly log: string[] = []
  room = Number.POSITIVE_INFINITY
  get congested(): boolean {
    return this.room <= 0
  }
  replayed(stored: { seq: bigint }, isStored: boolean): void {
    this.room--
    this.log.push(`${isStored ? 'stored' : 'live'} ${stored.seq}`)
  }
  ended(seam: bigint): void {
    this.log.push(`end ${seam}`)
  }
  live(): void {
    this.log.push('live')
  }
  lost(): void {
    this.log.push('lost')
  }
}

function run(
  world: World,
  filters: readonly Filter[] = [{ replay: true }],
  after?: string,
  target = new Target(),
): Target {
  const plan = planReplay(world.history, filters, after)
  if (plan === undefined) throw new Error('a plan expected')
  const replay = new Replay(world.history, plan, filters, target)
  for (let steps = 0; steps < 1000 && !replay.step(); steps++) if (target.congested) break
  return target
}

describe('a replay', () => {
  test('that waits for room goes on where it was, and what went out meanwhile comes after the end mark', async () => {
    const world = new World(100)
    for (let i = 0; i < 5; i++) await world.emit(made({ createdAt: BigInt(i) }))
    const target = new Target()
    target.room = 2
    const filters = [{ replay: true, kinds: [1] }]
    const replay = new Replay(world.history, { stored: filters }, filters, target)
    expect(replay.step()).toBe(false)
    await world.emit(made({ createdAt: 99n }))
    await world.emit(made({ kind: 2 }))
    await world.emit(made({ createdAt: 0n }))
    target.room = 100
    expect(replay.step()).toBe(true)
    expect(target.log).toEqual([
      'stored 5',
      'stored 4',
      'stored 3',
      'stored 2',
      'stored 1',
      'end 5',
      'live 6',
      'live 8',
      'live',
    ])
  })

  test('that falls behind the ring goes on from the store', async () => {
    const world = new World(2)
    await world.emit()
    const target = new Target()
    target.room = 1
    const filters = [{ replay: true, kinds: [1] }]
    const replay = new Replay(world.history, { stored: filters }, filters, target)
    replay.step()
    for (let i = 0; i < 6; i++) await world.emit()
    await world.emit(made({ kind: 20000 }))
    target.room = 100
    expect(replay.step()).toBe(true)
    expect(target.log).toEqual(['stored 1', 'end 1', ...[2, 3, 4, 5, 6, 7].map((n) => `live ${n}`), 'live'])
  })

  test('is lost when ephemeral events it may match have left the ring', async () => {
    const world = new World(2)
    await world.emit()
    const target = new Target()
    target.room = 1
    const filters = [{ replay: true }]
    const replay = new Replay(world.history, { stored: filters }, filters, target)
    replay.step()
    for (let i = 0; i < 4; i++) await world.emit(made({ kind: 20000 }))
    target.room = 100
    expect(replay.step()).toBe(true)
    expect(target.log).toEqual(['stored 1', 'end 1', 'lost'])
  })
})

describe('a cursor', () => {
  test('within the ring resumes without a gap, ephemeral events included', async () => {
    const world = new World(100)
    for (let i = 0; i < 3; i++) await world.emit(made({ kind: i === 1 ? 20000 : 1 }))
    expect(run(world, [{ replay: true }], `${world.store.epoch}-1`).log).toEqual([
      'stored 2',
      'stored 3',
      'end 3',
      'live',
    ])
    expect(run(world, [{ replay: true }], `${world.store.epoch}-3`).log).toEqual(['end 3', 'live'])
  })

  test('behind the ring resumes from the store when no ephemeral event was lost', async () => {
    const world = new World(2)
    for (let i = 0; i < 6; i++) await world.emit()
    expect(planReplay(world.history, [{}], `${world.store.epoch}-1`)?.gap).toBe(false)
    expect(run(world, [{ replay: true }], `${world.store.epoch}-1`).log).toEqual([
      'stored 2',
      'stored 3',
      'stored 4',
      'stored 5',
      'stored 6',
      'end 6',
      'live',
    ])
  })

  test('behind lost ephemeral events is a gap only for filters that may match them', async () => {
    const world = new World(2)
    await world.emit(made({ kind: 20005 }))
    for (let i = 0; i < 4; i++) await world.emit()
    const after = `${world.store.epoch}-0`
    expect(planReplay(world.history, [{}], after)?.gap).toBe(true)
    expect(planReplay(world.history, [{ kinds: [1] }, { kinds: [1, 20005] }], after)?.gap).toBe(true)
    expect(planReplay(world.history, [{ kinds: [1, 20001] }, { kinds: [] }], after)?.gap).toBe(false)
    expect(planReplay(world.history, [{}], `${world.store.epoch}-1`)?.gap).toBe(false)
  })

  test('is a gap when the store has pruned behind it', async () => {
    const world = new World(1)
    for (let i = 0; i < 3; i++) await world.emit()
    const { firstSeqOf: _, ...older } = world.store
    const history = { ...world.history, store: { ...older, firstSeq: 3n } }
    for (const filter of [{}, { kinds: [1] }]) {
      expect(planReplay(history, [filter], `${world.store.epoch}-1`)?.gap).toBe(true)
      expect(planReplay(history, [filter], `${world.store.epoch}-2`)?.gap).toBe(false)
    }
  })

  test('is no gap for filters that match none of the kinds that were pruned', async () => {
    const world = new World(1)
    for (const kind of [1, 2, 3, 4]) await world.emit(made({ kind }))
    await world.store.remove({ kinds: [2, 2], maxEvents: 0 }, 10)
    const gap = (...filters: Filter[]) => planReplay(world.history, filters, `${world.store.epoch}-0`)?.gap
    expect([gap({}), gap({ kinds: [1, 2] }), gap({ kinds: [1] }, { authors: [] })]).toEqual([
      true,
      true,
      true,
    ])
    expect([gap({ kinds: [1] }), gap({ kinds: [3] }, { kinds: [4, 1] })]).toEqual([false, false])
    expect(run(world, [{ kinds: [1, 3] }], `${world.store.epoch}-0`).log).toEqual([
      'stored 1',
      'stored 3',
      'end 4',
      'live',
    ])
    expect(planReplay(world.history, [{ kinds: [2] }], `${world.store.epoch}-2`)?.gap).toBe(false)
  })
})
