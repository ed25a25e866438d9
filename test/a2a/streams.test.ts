/** What holds a stream together (spec a2a 7.7, 6.2 no. 10 to 13). */
import { describe, expect, test } from 'vitest'
import { kindOf, type Loose, openAgent, resultOf, type Stream, say, stateIn } from './agent.js'

const RESUME = 'https://aetherkit.dev/ext/stream-resume/v1'
const ASKING = { 'a2a-version': '1.0', 'a2a-extensions': RESUME }

/** The text of all artifacts of a stream; a task stands for what was before. */
function textOf(responses: readonly Loose[]): string {
  let text = ''
  for (const response of responses) {
    const parts = (list: Loose[]) => list.map(({ text: part = '' }) => part).join('')
    if (response.task !== undefined) text = parts(response.task.artifacts?.[0]?.parts ?? [])
    else if (response.artifactUpdate !== undefined)
      text =
        (response.artifactUpdate.append === true ? text : '') + parts(response.artifactUpdate.artifact.parts)
  }
  return text
}

describe('streams', () => {
  test('[stream-heartbeat] a quiet stream has a comment every interval', async () => {
    const agent = await openAgent({ limits: { heartbeatMs: 15 } })
    const stream = await agent.stream('SendStreamingMessage', say('gate a'))
    const reading = stream.rest()
    await expect.poll(() => stream.text().match(/^:\n\n/gm)?.length ?? 0).toBeGreaterThanOrEqual(3)
    agent.release('a')
    expect((await reading).map(resultOf).map(stateIn).at(-1)).toBe('TASK_STATE_COMPLETED')
  })

  test('[stream-headers] no buffering, no compression, no transformation on the way', async () => {
    const agent = await openAgent()
    const headers = { 'a2a-version': '1.0', 'accept-encoding': 'gzip, br' }
    for (const stream of [
      await agent.stream('SendStreamingMessage', say('hi'), headers),
      await agent.restStream('POST', '/message:stream', say('hi'), headers),
    ]) {
      expect(stream.headers['x-accel-buffering']).toBe('no')
      expect(stream.headers['content-encoding']).toBeUndefined()
      expect(stream.headers['cache-control']).toMatch(/no-cache.*no-transform/)
    }
  })

  test('[stream-pressure] a paused reader is cut, and the task completes with everything', async () => {
    const agent = await openAgent({
      limits: { streamStallMs: 100, streamBytes: 256 * 1024, artifactBytes: 64 * 1024 * 1024 },
    })
    const stream = await agent.stream('SendStreamingMessage', say('chunks 300 65536'))
    stream.response.pause()
    const done = async () => (await agent.rpc('ListTasks', {})).json.result.tasks[0].status.state
    await expect.poll(done, { timeout: 15_000 }).toBe('TASK_STATE_COMPLETED')
    const [task] = (await agent.rpc('ListTasks', { includeArtifacts: true })).json.result.tasks
    expect(textOf([{ task }])).toHaveLength(300 * 65_536)
    const heard = textOf((await stream.rest()).filter(({ event }) => event === undefined).map(resultOf))
    // What was queued here and in the sockets: a fraction of what was made.
    expect(heard.length).toBeLessThan(300 * 65_536)
  }, 20_000)

  test('[stream-drain] a reader that leaves does not stop the task', async () => {
    const agent = await openAgent()
    const stream = await agent.stream('SendStreamingMessage', say('gate a'))
    const { id } = resultOf(await stream.next()).task
    stream.close()
    const blocking = new AbortController()
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'SendMessage', params: say('gate a') })
    const headers = { 'a2a-version': '1.0', 'content-type': 'application/json' }
    const left = fetch(agent.url, { method: 'POST', headers, body, signal: blocking.signal }).catch(
      () => 'left',
    )
    await expect.poll(() => agent.runs.length).toBe(2)
    blocking.abort()
    expect(await left).toBe('left')
    agent.release('a')
    const states = async () =>
      (await agent.rpc('ListTasks', {})).json.result.tasks.map(({ status }: Loose) => status.state)
    await expect.poll(states).toEqual(['TASK_STATE_COMPLETED', 'TASK_STATE_COMPLETED'])
    expect((await agent.rpc('GetTask', { id })).json.result.artifacts).toHaveLength(1)
  })

  test('[stream-coalesce] text that is written in small pieces goes out in few updates, whole and in order', async () => {
    const agent = await openAgent({
      executor: {
        async execute({ write }) {
          for (let at = 0; at < 5000; at++) write(`${at} `)
        },
      },
    })
    const events = (await (await agent.stream('SendStreamingMessage', say('go'))).rest()).map(resultOf)
    expect(textOf(events)).toBe(Array.from({ length: 5000 }, (_, at) => `${at} `).join(''))
    const updates = events.filter((event) => kindOf(event) === 'artifactUpdate')
    expect(updates.length).toBeLessThan(50)
    expect(updates.map(({ artifactUpdate }) => artifactUpdate.append === true)[0]).toBe(false)
    expect(updates.slice(1).every(({ artifactUpdate }) => artifactUpdate.append)).toBe(true)
  })

  const numbersOf = (events: readonly { readonly id: string | undefined }[]) =>
    events.map(({ id }) => Number(id))

  test('[stream-resume] every event is numbered when it is asked for, and Last-Event-ID goes on behind it', async () => {
    const agent = await openAgent({ limits: { coalesceBytes: 1 } })
    const first = await agent.stream('SendStreamingMessage', say('gate a'), ASKING)
    expect(first.headers['a2a-extensions']).toBe(RESUME)
    const heard = [await first.next(), await first.next()]
    const { id } = resultOf(heard[0]).task
    first.close()
    agent.release('a')
    const done = async () => (await agent.rpc('GetTask', { id })).json.result.status.state
    expect(numbersOf(heard as never)).toEqual([0, 1].map((at) => numbersOf(heard as never)[0]! + at))
    const again: Stream = await agent.stream(
      'SubscribeToTask',
      { id },
      { ...ASKING, 'last-event-id': heard[1]?.id ?? '' },
    )
    if (again.headers['content-type'] === 'text/event-stream') {
      const rest = await again.rest()
      expect(rest.map(resultOf).some((event) => kindOf(event) === 'task')).toBe(false)
      expect(numbersOf(rest)[0]).toBe(Number(heard[1]?.id) + 1)
      expect(stateIn(resultOf(rest.at(-1)))).toBe('TASK_STATE_COMPLETED')
    } else await expect.poll(done).toBe('TASK_STATE_COMPLETED')
  })

  test('[stream-resume] of a task that waits, the replay has exactly what came behind; metadata names it too', async () => {
    const agent = await openAgent()
    const stream = await agent.stream('SendStreamingMessage', say('ask'), ASKING)
    const events = await stream.rest()
    const { id } = resultOf(events[0]).task
    const after = Number(events[0]?.id)
    for (const subscribed of [
      await agent.stream('SubscribeToTask', { id }, { ...ASKING, 'last-event-id': String(after) }),
      await agent.stream('SubscribeToTask', { id, metadata: { [RESUME]: { after } } }, ASKING),
      await agent.restStream('GET', `/tasks/${id}:subscribe`, undefined, {
        ...ASKING,
        'last-event-id': String(after),
      }),
    ]) {
      const replayed = [await subscribed.next(), await subscribed.next()]
      expect(numbersOf(replayed as never)).toEqual(numbersOf(events.slice(1, 3)))
      const response = replayed[1]?.data.result ?? replayed[1]?.data
      expect(stateIn(response)).toBe('TASK_STATE_INPUT_REQUIRED')
      expect(response.statusUpdate.metadata[RESUME]).toEqual({ seq: Number(replayed[1]?.id) })
      subscribed.close()
    }
  })

  test('[stream-resume] what is no longer held is a snapshot with gap', async () => {
    const agent = await openAgent({ limits: { ringUpdates: 1 } })
    const open = await agent.stream('SendStreamingMessage', say('gate b'), ASKING)
    const task = resultOf(await open.next()).task
    await open.next()
    await open.next()
    await expect.poll(() => agent.runs.at(-1)).toBe('gate b')
    const late = await agent.stream('SubscribeToTask', { id: task.id }, { ...ASKING, 'last-event-id': '0' })
    const first = resultOf(await late.next())
    expect([kindOf(first), first.task.metadata[RESUME].gap]).toEqual(['task', true])
    agent.release('b')
  })

  test('[stream-resume] without the extension Last-Event-ID is not honoured: a snapshot', async () => {
    const agent = await openAgent()
    const { id } = await agent.send('ask')
    const stream = await agent.stream(
      'SubscribeToTask',
      { id },
      { 'a2a-version': '1.0', 'last-event-id': '1' },
    )
    const first = await stream.next()
    expect([kindOf(resultOf(first)), first?.id, resultOf(first).task.metadata]).toEqual([
      'task',
      undefined,
      undefined,
    ])
  })

  test('[stream-shutdown] at shutdown streams end cleanly, so that readers subscribe again', async () => {
    const agent = await openAgent()
    const stream = await agent.stream('SendStreamingMessage', say('gate a'))
    await stream.next()
    const closing = agent.agent.close()
    const events = await stream.rest()
    expect(stream.response.complete).toBe(true)
    expect(events.every(({ event }) => event === undefined)).toBe(true)
    await closing
  })
})
