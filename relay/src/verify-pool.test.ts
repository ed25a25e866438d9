import { createClock, type Event, generateSecretKey, signEvent } from '@aetherkit/core'
import { afterEach, expect, test } from 'vitest'
import { VerifyPool, type VerifyPoolOptions } from './verify-pool.js'

const script = new URL('../dist/verify-worker.js', import.meta.url)
const key = generateSecretKey()
const clock = createClock()
const sign = (content = 'x'): Event => signEvent({ kind: 1, content, createdAt: clock() }, key)

let pool: VerifyPool
const start = (options: Partial<VerifyPoolOptions> = {}) => {
  pool = new VerifyPool({ workers: 2, script, ...options })
}
afterEach(() => pool.close())
const verdict = (event: Event, rounded?: bigint) =>
  new Promise((resolve) => {
    if (!pool.submit({ event, rounded }, resolve)) resolve('full')
  })

test('tells valid, mismatch, bad signature and a rounded time apart', async () => {
  start()
  const event = sign()
  const shown = { ...event, createdAt: event.createdAt + 32n }
  expect(await verdict(event)).toBe('valid')
  expect(await verdict({ ...event, kind: 2 })).toBe('id_mismatch')
  expect(await verdict({ ...event, sig: '00'.repeat(64) })).toBe('invalid_signature')
  expect(await verdict(shown, event.createdAt)).toBe('repaired')
  expect(await verdict(shown)).toBe('id_mismatch')
  expect(await verdict({ ...shown, sig: '00'.repeat(64) }, event.createdAt)).toBe('invalid_signature')
  expect(await verdict(shown, event.createdAt + 1n)).toBe('id_mismatch')
})

test('gives verdicts in the order of submission with any number of workers and sizes', async () => {
  start({ workers: 3 })
  const order: number[] = []
  const events = Array.from({ length: 300 }, (_, i) => sign('x'.repeat(i % 50 === 0 ? 400_000 : 10)))
  await Promise.all(
    events.map(
      (event, i) =>
        new Promise<void>((resolve) => {
          pool.submit({ event }, (said) => {
            expect(said).toBe('valid')
            order.push(i)
            resolve()
          })
        }),
    ),
  )
  expect(order).toEqual(events.map((_, i) => i))
})

test('takes no more than its queue holds', async () => {
  start({ maxQueue: 10 })
  const verdicts = await Promise.all(Array.from({ length: 15 }, () => verdict(sign())))
  expect(verdicts.filter((said) => said === 'valid')).toHaveLength(10)
  expect(verdicts.filter((said) => said === 'full')).toHaveLength(5)
  expect(await verdict(sign())).toBe('valid')
})

test('settles what is under way when it closes', async () => {
  start()
  const waiting = Promise.all(Array.from({ length: 200 }, () => verdict(sign())))
  await pool.close()
  for (const said of await waiting) expect(['valid', 'failed']).toContain(said)
  expect(await verdict(sign())).toBe('full')
})

test('a worker that cannot start fails its claims instead of keeping them', async () => {
  start({ script: new URL('../dist/no-such-worker.js', import.meta.url) })
  expect(['failed', 'full']).toContain(await verdict(sign()))
})

test('needs a worker at least', () => {
  start()
  for (const workers of [0, -1, 1.5]) expect(() => new VerifyPool({ workers, script })).toThrow(RangeError)
})
