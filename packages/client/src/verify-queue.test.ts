import { type Event, generateSecretKey, signEvent } from '@aetherkit/core'
import { expect, test } from 'vitest'
import { VerifyQueue } from './verify-queue.js'

const secret = generateSecretKey()
const event = (createdAt: bigint): Event => signEvent({ kind: 1, createdAt }, secret)

test('tasks run in order, and never within the call that queued them', async () => {
  const queue = new VerifyQueue(() => {})
  const ran: number[] = []
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 100; i++) queue.run(() => void ran.push(i))
    expect(ran).toEqual([])
    queue.run(resolve)
  })
  expect(ran).toEqual(Array.from({ length: 100 }, (_, i) => i))
})

test('everything else has its turn between verifications', async () => {
  const queue = new VerifyQueue(() => {})
  const events = Array.from({ length: 300 }, (_, i) => event(BigInt(i)))
  let turns = 0
  let done = false
  const others = () => {
    turns++
    if (!done) setTimeout(others, 0)
  }
  setTimeout(others, 0)
  await new Promise<void>((resolve) => {
    for (const each of events) queue.run(() => expect(queue.check(each).ok).toBe(true))
    queue.run(resolve)
  })
  done = true
  expect(turns).toBeGreaterThan(2)
})

test('an event that was verified is not verified again, one with another content is', async () => {
  const queue = new VerifyQueue(() => {})
  const first = queue.check(event(1n))
  expect(first.ok && queue.check({ ...event(1n) })).toEqual(first)
  const forged = { ...event(2n), content: Uint8Array.of(1) }
  expect(queue.check(forged)).toMatchObject({ ok: false, code: 'id_mismatch' })
})

test('the copy of a known id is the verified event, whatever the copy says', () => {
  const queue = new VerifyQueue(() => {})
  const verified = queue.check(event(1n))
  const copy = queue.check({ ...event(1n), content: Uint8Array.of(1) })
  expect(copy.ok && copy.event).toBe(verified.ok && verified.event)
})

test('reading stops when too much waits and goes on when it is done', async () => {
  const pressure: string[] = []
  const queue = new VerifyQueue((each) => pressure.push(each))
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 5000; i++) queue.run(() => {})
    expect(pressure).toEqual(['high'])
    for (let i = 0; i < 130; i++) queue.run(() => {}, 1024 * 1024)
    expect(pressure).toEqual(['high', 'full'])
    queue.run(resolve)
  })
  expect(pressure).toEqual(['high', 'full', 'low'])
})

test('a closed queue runs nothing', async () => {
  const queue = new VerifyQueue(() => {})
  let ran = false
  queue.run(() => {
    ran = true
  })
  queue.close()
  await new Promise((resolve) => setTimeout(resolve, 0))
  await new Promise((resolve) => setImmediate(resolve))
  expect(ran).toBe(false)
})
