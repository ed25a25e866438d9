import { seededRandom } from '@aetherkit/core/testing'
import { describe, expect, test } from 'vitest'
import { type Fate, later } from '../../test/aether.js'
import { hear } from '../../test/http.js'
import { all, type Loose, rpc, stateOf, textOf, world } from '../../test/world.js'
import type { Executor } from '../executor.js'
import { STREAM_RESUME } from '../stream-resume.js'
import { aetherTransport } from './transport.js'

/** Twenty words, each an update of its own. */
const slowly: Executor = {
  async execute({ write, drained }) {
    for (let at = 0; at < 20; at++) {
      write(`${at} `)
      await drained()
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
  },
}

describe('5: loss', () => {
  test('a request that is lost is sent again, under its id, and executed once', async () => {
    const { transport, served } = await world({
      in: (nth) => (nth < 2 ? 'drop' : 'send'),
      transport: { retryMs: 50 },
    })
    const { result } = (await transport.call(rpc('SendMessage', hear('hello')))) as Loose
    expect(result.task.status.state).toBe('TASK_STATE_COMPLETED')
    expect(served.length).toBe(1)
  })

  test('an answer that is lost is given again to the same request', async () => {
    const { transport, served } = await world({
      out: (nth) => (nth < 2 ? 'drop' : 'send'),
      transport: { retryMs: 50 },
    })
    const { result } = (await transport.call(rpc('SendMessage', hear('hello')))) as Loose
    expect(result.task.status.state).toBe('TASK_STATE_COMPLETED')
    expect(served.length).toBe(1)
  })

  test('an agent that is at work says so: TIMEOUT with acknowledgement; one that is not there: without', async () => {
    const { transport, caller } = await world({ transport: { retryMs: 20 } })
    const working = transport.call(rpc('SendMessage', hear('wait')), { timeoutMs: 1_500 })
    await expect(working).rejects.toMatchObject({ code: 'TIMEOUT', acknowledged: true })
    const nobody = aetherTransport(caller, 'cd'.repeat(32).replace(/./g, '1'))
    later(async () => nobody.close())
    await expect(nobody.call(rpc('ListTasks'), { timeoutMs: 200 })).rejects.toMatchObject({
      code: expect.any(String),
    })
  })

  test('a gap in a stream: the task is subscribed to again, and nothing of it is missing', async () => {
    // The second event of the stream never arrives.
    const { transport, served } = await world({
      out: (nth) => (nth === 1 ? 'drop' : 'send'),
      transport: { gapMs: 50 },
    })
    const heard = await all(transport.stream(rpc('SendStreamingMessage', hear('chunks 40 500'), 'mine')))
    expect(textOf(heard)).toBe('x'.repeat(20_000))
    expect(stateOf(heard)).toBe('TASK_STATE_COMPLETED')
    expect(new Set(heard.map(({ id }) => id))).toEqual(new Set(['mine']))
    const methods = served.map(({ body }) => JSON.parse(body).method)
    expect(methods.slice(0, 2)).toEqual(['SendStreamingMessage', 'SubscribeToTask'])
  })

  test('7.7: with stream-resume the stream goes on behind the gap, without a snapshot', async () => {
    const { transport, served } = await world({
      agent: { executor: slowly },
      out: (nth) => (nth === 3 ? 'drop' : 'send'),
      transport: { gapMs: 20, extensions: [STREAM_RESUME] },
    })
    const heard = await all(transport.stream(rpc('SendStreamingMessage', hear('go'))))
    expect(heard.filter(({ result }) => result.task !== undefined).length).toBe(1)
    expect(textOf(heard)).toBe(Array.from({ length: 20 }, (_, at) => `${at} `).join(''))
    const [, again] = served
    expect(JSON.parse(again?.body ?? '').method).toBe('SubscribeToTask')
    expect(again?.after).toBeGreaterThan(0)
  })

  test('a lost end, of a task that is over: the task is got', async () => {
    const air = await world({
      agent: {
        executor: {
          async execute({ artifact }) {
            artifact({ parts: [{ text: 'done' }] })
          },
        },
      },
      // Only the first event, the task itself, gets out.
      out: (() => {
        let streams = true
        return (nth: number): Fate => {
          if (nth >= 12) streams = false
          return nth > 0 && streams ? 'drop' : 'send'
        }
      })(),
      transport: { gapMs: 50, ackMs: 40, retryMs: 60 },
    })
    const heard = await all(air.transport.stream(rpc('SendStreamingMessage', hear('go'))))
    expect(stateOf(heard)).toBe('TASK_STATE_COMPLETED')
    expect(textOf(heard)).toBe('done')
    expect(air.served.map(({ body }) => JSON.parse(body).method)).toContain('GetTask')
  })

  test.each([1, 2, 3])('a line that drops, doubles and delays frames both ways (seed %i)', async (seed) => {
    const random = seededRandom(seed)
    const fate = (): Fate => {
      const dice = random()
      if (dice < 0.15) return 'drop'
      if (dice < 0.3) return 'twice'
      return dice < 0.5 ? 'late' : 'send'
    }
    const { transport } = await world({
      in: fate,
      out: fate,
      transport: { gapMs: 60, ackMs: 60, retryMs: 60 },
    })
    const heard = await all(transport.stream(rpc('SendStreamingMessage', hear('chunks 60 200'))))
    expect(textOf(heard)).toBe('x'.repeat(12_000))
    expect(stateOf(heard)).toBe('TASK_STATE_COMPLETED')
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => transport.call(rpc('SendMessage', hear(`call ${at}`), at))),
    )
    expect(answers.map((answer) => (answer as Loose).result.task.artifacts[0].parts[0].text)).toEqual(
      Array.from({ length: 8 }, (_, at) => `call ${at}`),
    )
  })

  test('the relay is killed in the middle of a stream and another takes its place', async () => {
    let go = () => {}
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    const { air, transport } = await world({
      agent: {
        executor: {
          async execute({ write, drained }) {
            write('before ')
            await drained()
            await gate
            write('after')
          },
        },
      },
      transport: { gapMs: 100, ackMs: 100, retryMs: 100 },
    })
    const heard: Loose[] = []
    for await (const envelope of transport.stream(rpc('SendStreamingMessage', hear('go')))) {
      heard.push(envelope)
      if (heard.length !== 3) continue
      await air.kill()
      go()
      await air.restart()
    }
    expect(textOf(heard)).toBe('before after')
    expect(stateOf(heard)).toBe('TASK_STATE_COMPLETED')
  })
})
