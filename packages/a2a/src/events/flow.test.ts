import { describe, expect, test } from 'vitest'
import { as } from '../../test/engine.js'
import { hear } from '../../test/http.js'
import { rpc, world } from '../../test/world.js'
import type { createAgent } from '../agent.js'
import type { Executor } from '../executor.js'

describe('5: flow', () => {
  const endless: Executor = {
    async execute({ write, drained, signal }) {
      for (let at = 0; !signal.aborted && at < 100_000; at++) {
        write(`${at} `)
        await drained()
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    },
  }
  const contextOf = (owner: string) => as(`aether:${owner}`, { carrier: 'events' })
  const states = async (agent: ReturnType<typeof createAgent>, owner: string) =>
    (await agent.engine.list({}, contextOf(owner))).tasks.map(({ status }) => status.state)

  test('leaving the loop tells the agent; the stream ends and the task runs on', async () => {
    const { transport, served, agent, caller } = await world({ agent: { executor: endless } })
    for await (const _envelope of transport.stream(rpc('SendStreamingMessage', hear('go')))) break
    await expect.poll(() => served[0]?.signal?.aborted).toBe(true)
    expect(await states(agent, caller.publicKey)).toEqual(['TASK_STATE_WORKING'])
  })

  test('a caller whose acknowledgements stop is dropped, the task is not', async () => {
    const { transport, served, agent, caller } = await world({
      agent: { executor: endless },
      serve: { stream: { ackTimeoutMs: 100 } },
      // The request gets out and nothing else.
      in: (nth) => (nth === 0 ? 'send' : 'drop'),
    })
    const stream = transport.stream(rpc('SendStreamingMessage', hear('go')))[Symbol.asyncIterator]()
    await stream.next()
    await expect.poll(() => served[0]?.signal?.aborted).toBe(true)
    expect(await states(agent, caller.publicKey)).toEqual(['TASK_STATE_WORKING'])
    await stream.return?.()
  })

  test('a caller that takes nothing gets a window and no more; text waits in one frame', async () => {
    let frames = 0
    const { transport, agent, caller } = await world({
      agent: { executor: endless },
      serve: { stream: { window: 4 } },
      out: () => {
        frames += 1
        return 'send'
      },
    })
    const stream = transport.stream(rpc('SendStreamingMessage', hear('go')))[Symbol.asyncIterator]()
    await stream.next()
    await expect.poll(() => frames).toBe(4)
    // Ten more updates, which the stream was given as well.
    const context = contextOf(caller.publicKey)
    const [task] = (await agent.engine.list({}, context)).tasks
    let updates = 0
    for await (const { event } of agent.engine.subscribe({ id: task?.id ?? '' }, context))
      if ('artifactUpdate' in event && ++updates === 10) break
    expect(frames).toBeLessThanOrEqual(5)
    await stream.return?.()
  })
})
