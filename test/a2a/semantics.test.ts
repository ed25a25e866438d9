/** States and semantics of tasks (spec a2a 2.5). */
import { describe, expect, test } from 'vitest'
import { codeOf, openAgent, restCodeOf, say } from './agent.js'

const TERMINAL = [
  ['hi', 'COMPLETED'],
  ['boom', 'FAILED'],
  ['no', 'REJECTED'],
  ['', 'CANCELED'],
] as const

async function ended(text: string) {
  const agent = await openAgent()
  const task = await agent.send(text === '' ? 'ask' : text)
  if (text !== '') return { agent, task }
  return { agent, task: (await agent.rpc('CancelTask', { id: task.id })).json.result }
}

describe('semantics', () => {
  test.each(TERMINAL)(
    '[task-terminal-send] after %o a message to the %s task is -32004',
    async (text, state) => {
      const { agent, task } = await ended(text)
      expect(task.status.state).toBe(`TASK_STATE_${state}`)
      const runs = agent.runs.length
      const more = say('more', { taskId: task.id })
      expect(codeOf(await agent.rpc('SendMessage', more))).toEqual([-32004, 'UNSUPPORTED_OPERATION'])
      expect(restCodeOf(await agent.rest('POST', '/message:send', more))).toEqual([
        400,
        'UNSUPPORTED_OPERATION',
      ])
      expect(codeOf(await agent.rpc('SendStreamingMessage', more))).toEqual([-32004, 'UNSUPPORTED_OPERATION'])
      expect(agent.runs.length).toBe(runs)
    },
  )

  test.each(TERMINAL)(
    '[task-terminal-subscribe] after %o a subscription to the %s task is -32004',
    async (text) => {
      const { agent, task } = await ended(text)
      expect(codeOf(await agent.rpc('SubscribeToTask', { id: task.id }))).toEqual([
        -32004,
        'UNSUPPORTED_OPERATION',
      ])
      for (const verb of ['GET', 'POST'])
        expect(restCodeOf(await agent.rest(verb, `/tasks/${task.id}:subscribe`))).toEqual([
          400,
          'UNSUPPORTED_OPERATION',
        ])
    },
  )

  test.each(TERMINAL.slice(0, 3))(
    '[task-terminal-cancel] after %o cancelling the %s task is -32002',
    async (text) => {
      const { agent, task } = await ended(text)
      expect(codeOf(await agent.rpc('CancelTask', { id: task.id }))).toEqual([-32002, 'TASK_NOT_CANCELABLE'])
      expect(restCodeOf(await agent.rest('POST', `/tasks/${task.id}:cancel`))).toEqual([
        400,
        'TASK_NOT_CANCELABLE',
      ])
      expect((await agent.rpc('GetTask', { id: task.id })).json.result.status).toEqual(task.status)
    },
  )

  test('[task-cancel-idempotent] cancelling a canceled task answers with it, unchanged', async () => {
    const { agent, task } = await ended('')
    expect((await agent.rpc('CancelTask', { id: task.id })).json.result).toEqual(task)
    expect((await agent.rest('POST', `/tasks/${task.id}:cancel`)).json).toEqual(task)
  })

  test('[task-id-server] an unknown task id in a message is -32001, and nothing runs', async () => {
    const agent = await openAgent()
    const mine = say('hi', { taskId: 'made-up' })
    expect(codeOf(await agent.rpc('SendMessage', mine))).toEqual([-32001, 'TASK_NOT_FOUND'])
    expect(restCodeOf(await agent.rest('POST', '/message:send', mine))).toEqual([404, 'TASK_NOT_FOUND'])
    expect(codeOf(await agent.rpc('SendStreamingMessage', mine))).toEqual([-32001, 'TASK_NOT_FOUND'])
    expect(agent.runs).toEqual([])
  })

  test('[task-context-inferred] a message with a task id alone is in the context of the task', async () => {
    const agent = await openAgent()
    const asked = await agent.send('ask')
    const done = await agent.send('blue', { taskId: asked.id })
    expect([done.id, done.contextId]).toEqual([asked.id, asked.contextId])
    expect(done.history.at(-1)).toMatchObject({ contextId: asked.contextId, taskId: asked.id })
  })

  test('[task-context-mismatch] a context other than that of the task is -32602, the task untouched', async () => {
    const agent = await openAgent()
    const asked = await agent.send('ask')
    const wrong = say('blue', { taskId: asked.id, contextId: 'another' })
    expect(codeOf(await agent.rpc('SendMessage', wrong))).toEqual([-32602, 'INVALID_PARAMS'])
    expect((await agent.rpc('GetTask', { id: asked.id })).json.result).toEqual(asked)
  })

  test('[task-context-kept] a context id of the client is kept, and two tasks may share it', async () => {
    const agent = await openAgent()
    const one = await agent.send('hi', { contextId: 'conversation-7' })
    const two = await agent.send('ho', { contextId: 'conversation-7' })
    expect([one.contextId, two.contextId]).toEqual(['conversation-7', 'conversation-7'])
    expect(one.id).not.toBe(two.id)
  })

  test('[task-blocking] a send without configuration answers when the task has ended', async () => {
    const agent = await openAgent()
    const answer = agent.send('gate a')
    let isDone = false
    void answer.then(() => {
      isDone = true
    })
    await expect.poll(() => agent.runs).toEqual(['gate a'])
    expect(isDone).toBe(false)
    agent.release('a')
    expect((await answer).status.state).toBe('TASK_STATE_COMPLETED')
  })

  test.each([
    ['ask', 'TASK_STATE_INPUT_REQUIRED', 'Which one?'],
    ['login', 'TASK_STATE_AUTH_REQUIRED', 'Who are you?'],
  ])(
    '[task-blocking-interrupted] a blocking send returns when the work says %s',
    async (text, state, said) => {
      const agent = await openAgent()
      const { status } = await agent.send(text)
      expect(status).toMatchObject({ state, message: { role: 'ROLE_AGENT', parts: [{ text: said }] } })
    },
  )

  test('[task-return-immediately] returnImmediately answers before the work is done, on both bindings', async () => {
    const agent = await openAgent()
    const one = await agent.send('gate a', {}, { returnImmediately: true })
    const body = { ...say('gate a'), configuration: { returnImmediately: true } }
    const { json } = await agent.rest('POST', '/message:send', body)
    for (const task of [one, json.task])
      expect(['TASK_STATE_SUBMITTED', 'TASK_STATE_WORKING']).toContain(task.status.state)
    agent.release('a')
    const state = async () => (await agent.rpc('GetTask', { id: one.id })).json.result.status.state
    await expect.poll(state).toBe('TASK_STATE_COMPLETED')
  })

  /** Five messages: three of the user, two of the agent. */
  async function conversation() {
    const agent = await openAgent({
      executor: {
        async execute({ text }) {
          return text === 'three' ? undefined : { state: 'input-required', message: `after ${text}` }
        },
      },
    })
    const { id: taskId } = await agent.send('one')
    await agent.send('two', { taskId })
    const task = await agent.send('three', { taskId })
    return { agent, id: taskId, task }
  }
  const texts = (task: { history?: { parts: { text: string }[] }[] }) =>
    task.history?.map(({ parts }) => parts[0]?.text)

  test('[history-zero] historyLength 0 leaves the history out of send, get and list', async () => {
    const { agent, id } = await conversation()
    const sent = await agent.send('one', {}, { historyLength: 0 })
    expect('history' in sent).toBe(false)
    for (const path of [`/tasks/${id}?historyLength=0`, '/tasks?historyLength=0']) {
      const { json } = await agent.rest('GET', path)
      expect((json.tasks ?? [json]).map((task: object) => 'history' in task)).not.toContain(true)
    }
    expect('history' in (await agent.rpc('GetTask', { id, historyLength: 0 })).json.result).toBe(false)
  })

  test('[history-n] historyLength n gives the n newest, in their order', async () => {
    const { agent, id, task } = await conversation()
    expect(texts(task)).toEqual(['one', 'after one', 'two', 'after two', 'three'])
    const { json } = await agent.rpc('GetTask', { id, historyLength: 2 })
    expect(texts(json.result)).toEqual(['after two', 'three'])
    expect(texts((await agent.rest('GET', `/tasks/${id}?historyLength=3`)).json)).toEqual([
      'two',
      'after two',
      'three',
    ])
    expect(texts((await agent.rest('GET', `/tasks/${id}`)).json)).toEqual(texts(task))
    expect(texts((await agent.rest('GET', `/tasks/${id}?historyLength=99`)).json)).toEqual(texts(task))
  })

  test.each([-1, 1.5, 'many'])(
    '[history-negative] a historyLength of %o is -32602',
    async (historyLength) => {
      const agent = await openAgent()
      const { id } = await agent.send('hi')
      expect(codeOf(await agent.rpc('GetTask', { id, historyLength }))).toEqual([-32602, 'INVALID_PARAMS'])
      expect(codeOf(await agent.rpc('ListTasks', { historyLength }))).toEqual([-32602, 'INVALID_PARAMS'])
      const sent = { ...say('ho'), configuration: { historyLength } }
      expect(codeOf(await agent.rpc('SendMessage', sent))).toEqual([-32602, 'INVALID_PARAMS'])
      expect(restCodeOf(await agent.rest('GET', `/tasks/${id}?historyLength=${historyLength}`))).toEqual([
        400,
        'INVALID_PARAMS',
      ])
      expect(agent.runs).toEqual(['hi'])
    },
  )

  test.each(['ask', 'login'])(
    '[task-multi-turn] a message to a task that said %s resumes it',
    async (text) => {
      const agent = await openAgent()
      const asked = await agent.send(text)
      const done = await agent.send('blue', { taskId: asked.id, contextId: asked.contextId })
      expect(done).toMatchObject({
        id: asked.id,
        status: { state: 'TASK_STATE_COMPLETED' },
        artifacts: [{ parts: [{ text: 'blue' }] }],
      })
      expect(done.history.map(({ role }: { role: string }) => role)).toEqual([
        'ROLE_USER',
        'ROLE_AGENT',
        'ROLE_USER',
      ])
      expect(agent.runs).toEqual([text, 'blue'])
    },
  )

  test('[result-artifact] a result is an artifact with an id and at least one part', async () => {
    const agent = await openAgent()
    const task = await agent.send('hi')
    expect(task.artifacts).toEqual([{ artifactId: 'result', parts: [{ text: 'hi' }] }])
    expect(task.status.message).toBeUndefined()
  })
})
