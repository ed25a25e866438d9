import { describe, expect, it } from 'vitest'
import type { UnsignedEvent } from './event.js'
import { eventId } from './id.js'
import { leadingZeroBits, meetsDifficulty, mine, mineContentLegacy } from './pow.js'

const event: UnsignedEvent = {
  pubkey: 'd0'.repeat(32),
  createdAt: 1_750_000_000_000_000_000n,
  kind: 1,
  tags: [['t', 'work']],
  content: new TextEncoder().encode('hello'),
}

describe('difficulty', () => {
  it.each([
    ['ff', 0],
    ['7f', 1],
    ['01', 7],
    ['00ff', 8],
    ['0010', 11],
    [`${'00'.repeat(31)}01`, 255],
    ['00'.repeat(32), 256],
  ])('of %s is %i bits', (id, bits) => {
    expect(leadingZeroBits(id)).toBe(bits)
  })

  it('is met by as many bits or more', () => {
    expect([0, 10, 11, 12].map((bits) => meetsDifficulty('0010', bits))).toEqual([true, true, true, false])
  })

  it.each([-1, 257, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('of %d bits throws RangeError', (bits) => {
    expect(() => meetsDifficulty('00', bits)).toThrow(RangeError)
  })
})

describe('mining', () => {
  it.each([0, 1, 8, 12])('finds a nonce tag for %i bits and changes nothing else', async (bits) => {
    const mined = await mine(event, bits)
    expect(leadingZeroBits(eventId(mined))).toBeGreaterThanOrEqual(bits)
    expect(mined).toEqual({
      ...event,
      tags: [
        ['t', 'work'],
        ['nonce', expect.stringMatching(/^\d+$/), String(bits)],
      ],
    })
  })

  it('replaces the nonce tag an event had', async () => {
    const mined = await mine({ ...event, tags: [['nonce', '1', '20'], ['d']] }, 4)
    expect(mined.tags.map(([key]) => key)).toEqual(['d', 'nonce'])
  })

  it.each([-1, 257, 2.5, Number.NaN])('rejects %d bits with RangeError', async (bits) => {
    await expect(mine(event, bits)).rejects.toThrow(RangeError)
    await expect(mineContentLegacy(event, bits)).rejects.toThrow(RangeError)
  })

  it('rejects more bits than the caller is willing to spend with RangeError', async () => {
    await expect(mine(event, 21, { maxBits: 20 })).rejects.toThrow(RangeError)
  })

  it('stops when aborted, before and while it works, with the reason given', async () => {
    const reason = new Error('enough')
    await expect(mine(event, 256, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const mining = mine(event, 256, { signal: controller.signal })
    setTimeout(() => controller.abort(reason), 1)
    await expect(mining).rejects.toBe(reason)
  })

  it('leaves other work its turn', async () => {
    const controller = new AbortController()
    let turns = 0
    const timer = setInterval(() => {
      if (++turns === 3) controller.abort()
    }, 0)
    await expect(mine(event, 256, { signal: controller.signal })).rejects.toThrow()
    clearInterval(timer)
    expect(turns).toBeGreaterThanOrEqual(3)
  })

  it('has the old way of 8 bytes behind the content, by name', async () => {
    const mined = await mineContentLegacy(event, 10)
    expect(leadingZeroBits(eventId(mined))).toBeGreaterThanOrEqual(10)
    expect(mined.content.length).toBe(event.content.length + 8)
    expect(mined.content.subarray(0, -8)).toEqual(event.content)
    expect(mined.tags).toBe(event.tags)
  })
})
