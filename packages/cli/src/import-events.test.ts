import { ClientError, type Published } from '@aetherkit/client'
import type { Event, RejectCode } from '@aetherkit/core'
import { expect, test } from 'vitest'
import { event } from '../test/world.js'
import { eventLine } from './event-text.js'
import { type ImportReport, importEvents } from './import-events.js'
import type { Line } from './input.js'

async function* linesOf(events: readonly Event[]): AsyncGenerator<Line> {
  for (const [i, each] of events.entries()) yield { text: eventLine(each), end: i + 1 }
}

const stored = (each: Event): Published => ({
  id: each.id,
  event: each,
  relays: { r: { ok: true, status: 'stored' } },
})
const options = { signal: new AbortController().signal, timeoutMs: 1000, skip: 0, onProgress() {} }

test('as many are under way as the window says, and the place is behind what is done without a hole', async () => {
  const events = Array.from({ length: 20 }, (_, i) => event(`${i}`))
  const places: number[] = []
  let underWay = 0
  let most = 0
  let release: (() => void) | undefined
  const publish = async (each: Parameters<typeof stored>[0] | { kind: number }) => {
    if (!('id' in each)) throw new TypeError('signed events only')
    underWay++
    most = Math.max(most, underWay)
    // The first one is answered last of the first window.
    if (each.id === events[0]?.id) await new Promise<void>((resolve) => (release = resolve))
    else await new Promise((resolve) => setImmediate(resolve))
    underWay--
    if (each.id === events[4]?.id) release?.()
    return stored(each)
  }
  const report = await importEvents(publish, linesOf(events), {
    ...{ ...options, window: 5, skip: 0 },
    onProgress: ({ lines }: ImportReport) => places.push(lines),
  })
  expect(report).toMatchObject({ lines: 20, accepted: { stored: 20 } })
  expect(most).toBe(5)
  expect(places).toEqual([...places].sort((a, b) => a - b))
  expect(places[0]).toBe(0)
})

test.each(['rate_limited', 'storage_full', 'auth_required'] satisfies RejectCode[])(
  '%s is about the relay: it ends the import before that line',
  async (rejectCode) => {
    const events = [event('a'), event('b'), event('c')]
    let last = 0
    const publish = async (each: Event | { kind: number }) => {
      if ('id' in each && each.id === events[0]?.id) return stored(each)
      throw new ClientError('REJECTED', undefined, { rejectCode })
    }
    const ended = importEvents(publish, linesOf(events), {
      ...{ ...options, window: 1 },
      onProgress: ({ lines }: ImportReport) => {
        last = lines
      },
    })
    await expect(ended).rejects.toMatchObject({ code: 'REJECTED', rejectCode })
    expect(last).toBe(1)
  },
)

test('blocked is about the event: it is counted, and the import goes on', async () => {
  const events = [event('a'), event('b')]
  const publish = async (each: Event | { kind: number }) => {
    if ('id' in each && each.id === events[1]?.id) return stored(each)
    throw new ClientError('REJECTED', undefined, { rejectCode: 'blocked' })
  }
  const report = await importEvents(publish, linesOf(events), { ...options, window: 4 })
  expect(report).toMatchObject({
    lines: 2,
    accepted: { stored: 1 },
    refused: { blocked: 1 },
    first: [{ line: 1, code: 'blocked' }],
  })
})
