import { expect, test } from 'vitest'
import { alice, begun, brief, codeOf, collect, engineOf, gate, now, say, taskOf } from '../../test/engine.js'
import type { Execution } from '../executor.js'

/** An executor that writes once for each step it is let go. */
function stepper() {
  const gates = Array.from({ length: 20 }, gate)
  let open = 0
  let isOver = false
  return {
    async execute({ write, drained, progress }: Pick<Execution, 'write' | 'drained' | 'progress'>) {
      for (const [step, door] of gates.entries()) {
        await door.opened
        if (isOver) return
        write('x'.repeat(9000))
        progress(`step ${step}`)
        await drained()
      }
    },
    step: () => gates[open++]?.open(),
    finish() {
      isOver = true
      for (const door of gates) door.open()
    },
  }
}

async function started(limits = {}) {
  const steps = stepper()
  const engine = engineOf(steps.execute, { limits })
  const { id } = taskOf(await engine.send(say('hi', {}, now), alice))
  const advance = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const before = (await engine.get({ id }, alice)).status.message?.messageId
      steps.step()
      await expect
        .poll(async () => (await engine.get({ id }, alice)).status.message?.messageId)
        .not.toBe(before)
    }
  }
  return { engine, id, steps, advance }
}

test('7.7: resume gives the held updates behind a number, then what follows, and no snapshot', async () => {
  const { engine, id, steps, advance } = await started()
  const whole = await begun(engine.subscribe({ id }, alice))
  await advance(3)
  const resumed = collect(engine.subscribe({ id, after: 3 }, alice))
  const uptodate = collect(engine.subscribe({ id, after: 7 }, alice))
  steps.finish()
  const all = await whole.rest
  expect(await resumed).toEqual(all.filter(({ seq }) => seq > 3))
  expect((await uptodate).map(brief)).toEqual(['COMPLETED'])
})

test('7.7: what is no longer held is a snapshot that says so, and so is a number that was never reached', async () => {
  const { engine, id, steps, advance } = await started({ ringUpdates: 2 })
  await advance(3)
  for (const after of [0, 4, 99]) {
    const { first, rest } = await begun(engine.subscribe({ id, after }, alice))
    expect(first).toMatchObject({ seq: 7, gap: true, event: { task: { id } } })
    void rest
  }
  const { first } = await begun(engine.subscribe({ id, after: 5 }, alice))
  expect(first.seq).toBe(6)
  steps.finish()
})

test('7.7: the ring is bounded by bytes', async () => {
  const { engine, id, steps, advance } = await started({ ringBytes: 10_000 })
  await advance(2)
  expect((await begun(engine.subscribe({ id, after: 1 }, alice))).first.gap).toBe(true)
  expect((await begun(engine.subscribe({ id, after: 2 }, alice))).first.seq).toBe(3)
  steps.finish()
})

test('7.7: resume of a stream whose end was missed gives the rest and ends', async () => {
  const engine = engineOf(async () => ({ state: 'input-required', message: '?' }))
  const { id } = taskOf(await engine.send(say('hi'), alice))
  expect((await collect(engine.subscribe({ id, after: 1 }, alice))).map(brief)).toEqual(['INPUT_REQUIRED'])
})

test('7.7: a reader over its bound is cut with RATE_LIMITED, the task and other readers do not notice', async () => {
  const { engine, id, steps, advance } = await started({ streamBytes: 30_000 })
  const slow = engine.subscribe({ id }, alice)[Symbol.asyncIterator]()
  await slow.next()
  const fast = await begun(engine.subscribe({ id }, alice))
  await advance(4)
  expect(await codeOf(slow.next())).toBe('RATE_LIMITED')
  expect(await slow.next()).toEqual({ value: undefined, done: true })
  steps.finish()
  expect((await fast.rest).map(brief).at(-1)).toBe('COMPLETED')
})

test('7.7: one update larger than the bound reaches a reader that keeps up', async () => {
  const engine = engineOf(
    async ({ artifact, drained }) => {
      for (let n = 0; n < 3; n++) {
        artifact({ parts: [{ text: 'x'.repeat(5000) }] })
        await drained()
      }
    },
    { limits: { streamBytes: 1000 } },
  )
  expect((await collect(engine.stream(say('hi'), alice))).map(brief).at(-1)).toBe('COMPLETED')
})

test('a producer of much that waits has no reader cut that keeps up, and is not held up by one that does not', async () => {
  const engine = engineOf(
    async ({ write, drained }) => {
      for (let n = 0; n < 40; n++) {
        write('x'.repeat(30_000))
        await drained()
      }
    },
    { limits: { streamBytes: 300_000 } },
  )
  const { first, rest } = await begun(later(engine.stream(say('hi'), alice)))
  const id = 'task' in first.event ? first.event.task.id : ''
  const stuck = engine.subscribe({ id }, alice)[Symbol.asyncIterator]()
  await stuck.next()
  expect((await rest).map(brief).at(-1)).toBe('COMPLETED')
  expect(await codeOf(stuck.next())).toBe('RATE_LIMITED')
})

/** Each item a turn of the event loop later. */
async function* later<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const item of items) {
    await new Promise((resolve) => setImmediate(resolve))
    yield item
  }
}
