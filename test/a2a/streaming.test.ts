/** Streams of server-sent events (spec a2a 2.6). */
import { describe, expect, test } from 'vitest'
import { codeOf, kindOf, type Loose, openAgent, restCodeOf, resultOf, say, stateIn } from './agent.js'

describe('streaming', () => {
  test('[sse-one-line] every event is one data line of JSON and an empty line', async () => {
    const agent = await openAgent()
    const stream = await agent.stream('SendStreamingMessage', say('two\nlines'))
    await stream.rest()
    const blocks = stream.text().split('\n\n')
    expect(blocks.pop()).toBe('')
    for (const block of blocks) {
      expect(block).toMatch(/^data: \{.*\}$/)
      expect(block).not.toContain('\n')
    }
  })

  test.each(['a text', 7, null])(
    '[sse-jsonrpc-wrap] JSON-RPC wraps every StreamResponse under the id %o',
    async (id) => {
      const agent = await openAgent()
      const { text } = await agent.post({
        jsonrpc: '2.0',
        id,
        method: 'SendStreamingMessage',
        params: say('hi'),
      })
      const envelopes = text
        .split('\n\n')
        .slice(0, -1)
        .map((block) => JSON.parse(block.slice(6)))
      expect(envelopes.length).toBeGreaterThanOrEqual(3)
      for (const envelope of envelopes) {
        expect(Object.keys(envelope).sort()).toEqual(['id', 'jsonrpc', 'result'])
        expect([envelope.jsonrpc, envelope.id]).toEqual(['2.0', id])
        expect(Object.keys(envelope.result)).toHaveLength(1)
      }
    },
  )

  test('[sse-rest-bare] REST sends StreamResponses bare', async () => {
    const agent = await openAgent()
    const events = await (await agent.restStream('POST', '/message:stream', say('hi'))).rest()
    for (const { data } of events) {
      expect(Object.keys(data)).toHaveLength(1)
      expect(['task', 'statusUpdate', 'artifactUpdate']).toContain(kindOf(data))
    }
  })

  test('[sse-task-first] a stream is the task and then its updates', async () => {
    const agent = await openAgent()
    const events = await (await agent.restStream('POST', '/message:stream', say('chunks 3 10'))).rest()
    const [first, ...updates] = events.map(({ data }) => data)
    const { id: taskId, contextId } = first.task
    expect(first.task.status.state).toBe('TASK_STATE_SUBMITTED')
    expect(updates.length).toBeGreaterThan(1)
    for (const update of updates) expect(update[kindOf(update)]).toMatchObject({ taskId, contextId })
    expect(updates.map(kindOf)).not.toContain('task')
  })

  test('[sse-task-first] or it is exactly one message', async () => {
    const agent = await openAgent({ more: { directReply: true } })
    const events = await (await agent.restStream('POST', '/message:stream', say('reply'))).rest()
    expect(events.map(({ data }) => kindOf(data))).toEqual(['message'])
  })

  test.each([
    ['hi', 'TASK_STATE_COMPLETED'],
    ['boom', 'TASK_STATE_FAILED'],
    ['no', 'TASK_STATE_REJECTED'],
    ['ask', 'TASK_STATE_INPUT_REQUIRED'],
    ['login', 'TASK_STATE_AUTH_REQUIRED'],
  ])('[sse-closes] after %o the stream ends with %s', async (text, state) => {
    const agent = await openAgent()
    const events = await (await agent.stream('SendStreamingMessage', say(text))).rest()
    expect(stateIn(resultOf(events.at(-1)))).toBe(state)
  })

  test('[sse-subscribe-snapshot] the first event of a subscription is the task as it is', async () => {
    const agent = await openAgent()
    const { id } = await agent.send('ask')
    const stream = await agent.stream('SubscribeToTask', { id })
    const first = resultOf(await stream.next())
    const { json } = await agent.rpc('GetTask', { id })
    expect(first).toEqual({ task: json.result })
  })

  test('[sse-same-order] streams of one task see the same events in the same order', async () => {
    const agent = await openAgent({ limits: { coalesceBytes: 1 } })
    const first = await agent.stream('SendStreamingMessage', say('gate a'))
    const { id } = resultOf(await first.next()).task
    const others = await Promise.all([1, 2, 3].map(() => agent.stream('SubscribeToTask', { id })))
    for (const stream of others) await stream.next()
    agent.release('a')
    const heard = await Promise.all(
      [first, ...others].map(async (stream) => (await stream.rest()).map(resultOf)),
    )
    const tail = (events: Loose[]) => JSON.stringify(events.slice(-2))
    expect(new Set(heard.map(tail)).size).toBe(1)
    expect(heard[1]).toEqual(heard[2])
    expect(heard[2]).toEqual(heard[3])
  })

  test('[sse-independent] closing one stream affects no other', async () => {
    const agent = await openAgent()
    const first = await agent.stream('SendStreamingMessage', say('gate a'))
    const { id } = resultOf(await first.next()).task
    const second = await agent.stream('SubscribeToTask', { id })
    await second.next()
    first.close()
    agent.release('a')
    expect((await second.rest()).map(resultOf).map(stateIn).at(-1)).toBe('TASK_STATE_COMPLETED')
  })

  test('[sse-early-error] an error before the first event is plain JSON, 200 on JSON-RPC', async () => {
    const agent = await openAgent()
    const rpc = await agent.rpc('SubscribeToTask', { id: 'nope' })
    expect([rpc.status, rpc.headers['content-type'], ...codeOf(rpc)]).toEqual([
      200,
      'application/json',
      -32001,
      'TASK_NOT_FOUND',
    ])
    const bad = await agent.rpc('SendStreamingMessage', {})
    expect([bad.status, ...codeOf(bad)]).toEqual([200, -32602, 'INVALID_PARAMS'])
    expect(restCodeOf(await agent.rest('GET', '/tasks/nope:subscribe'))).toEqual([404, 'TASK_NOT_FOUND'])
  })

  test('[sse-late-error] a later error is an event of its own, with an envelope under the id', async () => {
    let go = () => {}
    const begun = new Promise<void>((resolve) => {
      go = resolve
    })
    // A reader behind its bound is cut: the bound is small, and the executor waits for nobody.
    const agent = await openAgent({
      limits: { streamBytes: 4096 },
      executor: {
        async execute({ artifact }) {
          await begun
          for (let index = 0; index < 64; index++) artifact({ parts: [{ text: 'x'.repeat(1024) }] })
        },
      },
    })
    const [rpc, rest] = [
      await agent.stream('SendStreamingMessage', say('go')),
      await agent.restStream('POST', '/message:stream', say('go')),
    ]
    await Promise.all([rpc.next(), rest.next()])
    go()
    const events = await rpc.rest()
    const last = events.at(-1)
    expect(last?.event).toBe('error')
    expect(last?.data).toMatchObject({ jsonrpc: '2.0', id: 1, error: { code: expect.any(Number) } })
    expect(events.slice(0, -1).every(({ event }) => event === undefined)).toBe(true)
    const bare = (await rest.rest()).at(-1)
    expect([bare?.event, bare?.data.error.status]).toEqual(['error', 'RESOURCE_EXHAUSTED'])
  })

  test('[sse-no-ids] without an extension there are no event ids, no final and no kind', async () => {
    const agent = await openAgent()
    const stream = await agent.stream('SendStreamingMessage', say('hi'))
    const events = await stream.rest()
    expect(events.map(({ id, event }) => [id, event])).toEqual(events.map(() => [undefined, undefined]))
    for (const result of events.map(resultOf)) {
      const inner = result[kindOf(result)]
      expect('final' in inner || 'kind' in inner || 'index' in inner).toBe(false)
    }
    expect(stream.text()).not.toContain('retry:')
  })
})
