/** Cancel (spec a2a 7.8, 6.2 no. 8). */
import { describe, expect, test } from 'vitest'
import { codeOf, openAgent, restCodeOf, resultOf, say, stateIn } from './agent.js'

describe('cancel', () => {
  test('[cancel-deadline] the executor is told, and the caller and all streams see CANCELED', async () => {
    const agent = await openAgent()
    const stream = await agent.stream('SendStreamingMessage', say('wait'))
    const { id } = resultOf(await stream.next()).task
    const blocking = agent.send('wait')
    await expect.poll(() => agent.runs.length).toBe(2)
    const { json } = await agent.rpc('CancelTask', { id })
    expect(json.result.status.state).toBe('TASK_STATE_CANCELED')
    expect((await stream.rest()).map(resultOf).map(stateIn).at(-1)).toBe('TASK_STATE_CANCELED')
    const { tasks } = (await agent.rpc('ListTasks', { status: 'TASK_STATE_WORKING' })).json.result
    await agent.rest('POST', `/tasks/${tasks[0].id}:cancel`)
    expect((await blocking).status.state).toBe('TASK_STATE_CANCELED')
  })

  test('[cancel-deadline] an executor that hears nothing is not waited for: the answer is CANCELED all the same', async () => {
    const agent = await openAgent({ limits: { cancelMs: 50 } })
    const { id } = await agent.send('deaf a', {}, { returnImmediately: true })
    await expect.poll(() => agent.runs.length).toBe(1)
    const { json } = await agent.rpc('CancelTask', { id })
    expect(json.result.status.state).toBe('TASK_STATE_CANCELED')
    agent.release('a')
    await new Promise((resolve) => setImmediate(resolve))
    const { result } = (await agent.rpc('GetTask', { id })).json
    expect([result.status.state, result.artifacts]).toEqual(['TASK_STATE_CANCELED', undefined])
  })

  test('[cancel-refused] work that cannot stop is -32002, and goes on', async () => {
    const agent = await openAgent({ more: { cancelable: false } })
    const { id } = await agent.send('deaf a', {}, { returnImmediately: true })
    await expect.poll(() => agent.runs.length).toBe(1)
    expect(codeOf(await agent.rpc('CancelTask', { id }))).toEqual([-32002, 'TASK_NOT_CANCELABLE'])
    expect(restCodeOf(await agent.rest('POST', `/tasks/${id}:cancel`))).toEqual([400, 'TASK_NOT_CANCELABLE'])
    agent.release('a')
    const state = async () => (await agent.rpc('GetTask', { id })).json.result.status.state
    await expect.poll(state).toBe('TASK_STATE_COMPLETED')
  })

  test('[cancel-race] against a racing completion the first terminal state stays, for everybody', async () => {
    const agent = await openAgent({ limits: { cancelMs: 50 } })
    const outcomes = new Set<string>()
    for (let round = 0; round < 12; round++) {
      const stream = await agent.stream('SendStreamingMessage', say(`deaf r${round}`))
      const { id } = resultOf(await stream.next()).task
      await expect.poll(() => agent.runs.length).toBe(round + 1)
      const release = () => agent.release(`r${round}`)
      if (round % 2 === 0) release()
      const canceling = agent.rpc('CancelTask', { id })
      if (round % 2 === 1) setTimeout(release, round * 6)
      const answer = await canceling
      const seen = (await stream.rest()).map(resultOf).map(stateIn).at(-1)
      const { state } = (await agent.rpc('GetTask', { id })).json.result.status
      expect(seen).toBe(state)
      if (answer.json.error === undefined) expect(answer.json.result.status.state).toBe('TASK_STATE_CANCELED')
      else expect(codeOf(answer)).toEqual([-32002, 'TASK_NOT_CANCELABLE'])
      expect(answer.json.error === undefined).toBe(state === 'TASK_STATE_CANCELED')
      outcomes.add(state)
    }
    for (const state of outcomes) expect(['TASK_STATE_COMPLETED', 'TASK_STATE_CANCELED']).toContain(state)
  })

  test('[cancel-race] two cancels at once give one answer', async () => {
    const agent = await openAgent()
    const { id } = await agent.send('wait', {}, { returnImmediately: true })
    const both = await Promise.all([
      agent.rpc('CancelTask', { id }),
      agent.rest('POST', `/tasks/${id}:cancel`),
    ])
    expect(both[0].json.result).toEqual(both[1].json)
    expect(both[1].json.status.state).toBe('TASK_STATE_CANCELED')
  })
})
