/**
 * Random interleavings (spec a2a 2.6, 6.2 no. 7 and 12, 7.8): whatever is said, cancelled, read and left in whatever
 * order, every reader sees the same numbered updates, and a snapshot with the updates behind it is the final task.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { alice, begun, collect, engineOf, now, say, taskOf } from '../../test/engine.js'
import type { Engine, Numbered } from '../engine.js'
import { A2AError } from '../errors.js'
import type { Execution } from '../executor.js'
import { isInterrupted, isTerminal, type Task } from '../model.js'
import { memoryTaskStore } from '../store/memory.js'
import type { TaskStore } from '../task-store.js'
import { applyUpdate } from './apply.js'

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('write'),
      size: fc.integer({ min: 1, max: 9000 }),
      id: fc.constantFrom('result', 'other'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('artifact'), id: fc.constantFrom('result', 'file') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('progress', 'pause', 'drained') }) },
)
const turn = fc.record({
  steps: fc.array(step, { maxLength: 6 }),
  end: fc.constantFrom('ask', 'ask', 'auth', 'done', 'fail', 'throw'),
})
const action = fc.oneof(
  { weight: 4, arbitrary: fc.constant('say') },
  { weight: 4, arbitrary: fc.constant('subscribe') },
  { weight: 2, arbitrary: fc.constant('stream') },
  { weight: 2, arbitrary: fc.constant('leave') },
  { weight: 1, arbitrary: fc.constant('cancel') },
  { weight: 3, arbitrary: fc.constant('wait') },
)
type Script = (typeof turn extends fc.Arbitrary<infer T> ? T : never)[]

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function act({ write, artifact, progress, drained }: Execution, one: Script[number]['steps'][number]) {
  if ('size' in one) write('é'.repeat(one.size), { id: one.id })
  else if ('id' in one) artifact({ id: one.id, parts: [{ text: 'whole' }, { data: { n: 1 } }] })
  else if (one.do === 'progress') progress('on it')
  else if (one.do === 'drained') await drained()
  else await pause()
}

const executorOf = (script: Script) => {
  let turns = 0
  return async (execution: Execution) => {
    const { steps, end } = script[turns++ % script.length] ?? { steps: [], end: 'done' }
    for (const one of steps) await act(execution, one)
    if (end === 'throw') throw new Error('boom')
    if (end === 'ask') return { state: 'input-required', message: 'And?' } as const
    if (end === 'auth') return { state: 'auth-required', message: 'Who?' } as const
    return end === 'fail' ? ({ state: 'failed', message: 'No' } as const) : undefined
  }
}

const isWorking = ({ status }: Task): boolean => !isTerminal(status.state) && !isInterrupted(status.state)

/** Each write and read of a task takes some turns of the event loop. */
const slow = (store: TaskStore): TaskStore => ({
  ...store,
  async save(...record) {
    await pause()
    const saved = await store.save(...record)
    await pause()
    return saved
  },
  async load(...key) {
    const loaded = await store.load(...key)
    await pause()
    return loaded
  },
})

/** A lawful refusal, or what was seen until then. */
const lawful = (error: unknown): Numbered[] => {
  if (A2AError.is(error) && ['UNSUPPORTED_OPERATION', 'TASK_NOT_CANCELABLE'].includes(error.code)) return []
  throw error
}

async function play(engine: Engine, script: readonly string[]) {
  const { id } = taskOf(await engine.send(say('first', {}, now), alice))
  const calls: Promise<Numbered[]>[] = []
  const readers: AbortController[] = []
  const seen: Promise<Numbered[]>[] = []
  const read = (open: (signal: AbortSignal) => AsyncIterable<Numbered>): void => {
    const controller = new AbortController()
    readers.push(controller)
    seen.push(collect(open(controller.signal)).catch(lawful))
  }
  for (const one of script) {
    const follow = say('more', { taskId: id })
    if (one === 'say') calls.push(engine.send(follow, alice).then(() => [], lawful))
    if (one === 'cancel') calls.push(engine.cancel({ id }, alice).then(() => [], lawful))
    if (one === 'subscribe') read((signal) => engine.subscribe({ id }, { ...alice, signal }))
    if (one === 'stream') read((signal) => engine.stream(follow, { ...alice, signal }))
    if (one === 'leave') readers.shift()?.abort()
    if (one === 'wait') await pause()
  }
  await Promise.all(calls)
  const whole = collect(engine.subscribe({ id, after: 0 }, alice)).catch(lawful)
  while (isWorking(await engine.get({ id }, alice))) await pause()
  const watched = await begun(engine.subscribe({ id }, alice)).catch(lawful)
  const end = await engine.cancel({ id }, alice).catch(() => engine.get({ id }, alice))
  const last = 'rest' in watched ? [watched.first, ...(await watched.rest)] : []
  return { end, seen: [...(await Promise.all([...seen, whole])), last] }
}

/** Messages of the caller are no updates. */
const comparable = ({ history, ...task }: Task) => ({
  ...task,
  asked: (history ?? []).filter(({ role }) => role === 'ROLE_AGENT'),
})

test('2.6: every reader sees the same numbered updates, and a snapshot and what follows it is the final task', async () => {
  let compared = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(turn, { minLength: 1, maxLength: 4 }),
      fc.array(action, { maxLength: 25 }),
      fc.boolean(),
      async (turns, script, isSlow) => {
        const engine = engineOf(executorOf(turns), {
          store: isSlow ? slow(memoryTaskStore()) : memoryTaskStore(),
          limits: { coalesceMs: 1, cancelMs: 200, queuedMessages: 99 },
        })
        const { end, seen } = await play(engine, script)
        expect(isTerminal(end.status.state)).toBe(true)
        const bySeq = new Map<number, Numbered>()
        for (const items of seen) {
          for (const [at, item] of items.entries()) {
            if ('task' in item.event) {
              expect(at).toBe(0)
              continue
            }
            const before = items[at - 1]
            if (before !== undefined) expect(item.seq).toBe(before.seq + 1)
            expect(bySeq.get(item.seq) ?? item).toEqual(item)
            bySeq.set(item.seq, item)
          }
        }
        const last = Math.max(...bySeq.keys())
        for (const items of seen) {
          const first = items[0]?.event
          if (first === undefined || !('task' in first)) continue
          let task = first.task
          const from = items[0]?.seq ?? 0
          // An update that nobody read, and be it the last, leaves nothing to compare.
          let isWhole = true
          for (let seq = from + 1; seq <= last; seq++) {
            const update = bySeq.get(seq)
            if (update === undefined) isWhole = false
            else task = applyUpdate(task, update.event)
          }
          if (!isWhole || !isTerminal(task.status.state)) continue
          expect(comparable(task)).toEqual(comparable(end))
          compared++
        }
      },
    ),
    { numRuns: 150 },
  )
  expect(compared).toBeGreaterThan(150)
}, 60_000)
