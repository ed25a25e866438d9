/** Graphs behind a real A2A endpoint (spec a2a 8.2). */
import { connectAgent, createAgent as createA2A, type SendMessageResponse, type Task } from '@aetherkit/a2a'
import { AIMessage, HumanMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import { tool } from '@langchain/core/tools'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { END, interrupt, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph'
import { createAgent, humanInTheLoopMiddleware } from 'langchain'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { type LangGraphExecutorOptions, langgraphExecutor, type StreamableGraph } from './executor.js'

async function serve(graph: StreamableGraph, options: LangGraphExecutorOptions = {}, owner = 'bearer:ada') {
  const errors: unknown[] = []
  const agent = createA2A({
    card: {
      name: 'Graph',
      description: 'A graph',
      skills: [{ id: 'chat', name: 'Chat', description: 'Talks' }],
    },
    executor: langgraphExecutor(graph, options),
    authenticate: () => ({ owner, anonymous: false }),
    onError: (error) => errors.push(error),
  })
  onTestFinished(() => agent.close())
  const { url } = await agent.listen()
  const remote = await connectAgent(url, { allowPrivateNetwork: true })
  onTestFinished(() => remote.close())
  return { remote, errors }
}

const taskOf = (result: SendMessageResponse): Task => {
  if ('task' in result) return result.task
  throw new Error('expected a task')
}
const textOf = ({ artifacts = [] }: Task): string =>
  artifacts.flatMap(({ parts }) => parts.flatMap(({ text }) => text ?? [])).join('|')
const asked = ({ status }: Task) => status.message?.parts.map(({ text = '' }) => text).join('')
const stateOf = ({ status }: Task) => status.state

const paid: string[] = []
const pay = tool(
  async ({ amount }) => {
    paid.push(amount)
    return `paid ${amount}`
  },
  { name: 'pay', description: 'Pays', schema: z.object({ amount: z.string() }) },
)

/** The model calls `pay`, behind a gate, and then says `last`. */
function payingAgent(...last: string[]) {
  const model = fakeModel().respondWithTools([{ name: 'pay', args: { amount: '5' }, id: 'call-1' }])
  for (const text of last) model.respond(new AIMessage(text))
  const gate = humanInTheLoopMiddleware({ interruptOn: { pay: { allowedDecisions: ['approve', 'reject'] } } })
  const checkpointer = new MemorySaver()
  return { model, graph: createAgent({ model, tools: [pay], middleware: [gate], checkpointer }) }
}

test('8.2: createAgent answers in one artifact, and a context is a thread', async () => {
  const model = fakeModel()
    .respond(new AIMessage('Hello!'))
    .respond(new AIMessage('Again.'))
    .respond(new AIMessage('New.'))
  const graph = createAgent({ model, tools: [], checkpointer: new MemorySaver() })
  const { remote } = await serve(graph)
  const first = taskOf(await remote.send('hi'))
  expect(stateOf(first)).toBe('TASK_STATE_COMPLETED')
  expect(first.artifacts).toHaveLength(1)
  expect(textOf(first)).toBe('Hello!')
  await remote.send('and', { contextId: first.contextId })
  await remote.send('elsewhere')
  const told = model.calls.map(({ messages }) => messages.map(({ text }) => text).join('|'))
  expect(told).toEqual(['hi', 'hi|Hello!|and', 'elsewhere'])
})

test('8.2: tokens are streamed while the graph runs', async () => {
  const model = new FakeListChatModel({ responses: ['streamed'], sleep: 30 })
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('talk', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
    .addEdge(START, 'talk')
    .addEdge('talk', END)
    .compile()
  const { remote } = await serve(graph)
  const seen: string[] = []
  for await (const event of remote.stream('hi'))
    if ('artifactUpdate' in event)
      seen.push(...event.artifactUpdate.artifact.parts.map(({ text = '' }) => text))
  expect(seen.length).toBeGreaterThan(1)
  expect(seen.join('')).toBe('streamed')
})

test('8.2: an interrupt is INPUT_REQUIRED with its question, and the answer goes on with the same task', async () => {
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('ask', () => {
      const city = interrupt({ question: 'Where to?', choices: ['Rome', 'Oslo'] })
      return { messages: [new HumanMessage(`to ${JSON.stringify(city)}`)] }
    })
    .addEdge(START, 'ask')
    .addEdge('ask', END)
    .compile({ checkpointer: new MemorySaver() })
  const output = (state: unknown) => (state as { messages: { text: string }[] }).messages.at(-1)?.text
  const { remote } = await serve(graph, { output })
  for (const [answer, expected] of [
    ['Rome', 'to "Rome"'],
    [{ data: { city: 'Oslo' } }, 'to {"city":"Oslo"}'],
  ] as const) {
    const open = taskOf(await remote.send('book'))
    expect(stateOf(open)).toBe('TASK_STATE_INPUT_REQUIRED')
    expect(asked(open)).toBe('Where to?')
    expect(open.status.message?.parts[1]?.data).toMatchObject({ choices: ['Rome', 'Oslo'] })
    const done = taskOf(await remote.send(answer, { taskId: open.id }))
    expect(done.id).toBe(open.id)
    expect(textOf(done)).toBe(expected)
  }
})

test('8.2: two interrupts at once are answered by id', async () => {
  const node = (name: string) => () => ({ messages: [new HumanMessage(`${name}=${interrupt(`${name}?`)}`)] })
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('a', node('a'))
    .addNode('b', node('b'))
    .addEdge(START, 'a')
    .addEdge(START, 'b')
    .addEdge('a', END)
    .addEdge('b', END)
    .compile({ checkpointer: new MemorySaver() })
  const output = (state: unknown) =>
    (state as { messages: { text: string }[] }).messages.map(({ text }) => text).join()
  const { remote } = await serve(graph, { output })
  const open = taskOf(await remote.send('go'))
  expect(asked(open)).toBe('a?\nb?')
  const { interrupts = [] } = (open.status.message?.parts[1]?.data ?? {}) as {
    interrupts?: { id: string; value: string }[]
  }
  const data = Object.fromEntries(interrupts.map(({ id, value }) => [id, value === 'a?' ? '1' : '2']))
  const done = taskOf(await remote.send({ data }, { taskId: open.id }))
  expect(textOf(done)).toBe('go,a=1,b=2')
})

test('8.2: the human gate of a tool is an approval: yes runs it once, no does not, anything else asks again', async () => {
  paid.length = 0
  const { remote } = await serve(payingAgent('Paid.').graph)
  const open = taskOf(await remote.send('pay 5'))
  expect(stateOf(open)).toBe('TASK_STATE_INPUT_REQUIRED')
  expect(open.status.message?.parts[1]?.data).toMatchObject({
    approvals: [{ tool: 'pay', input: { amount: '5' } }],
  })
  const again = taskOf(await remote.send('maybe', { taskId: open.id }))
  expect(stateOf(again)).toBe('TASK_STATE_INPUT_REQUIRED')
  expect(paid).toEqual([])
  const done = taskOf(await remote.send('approve', { taskId: open.id }))
  expect(textOf(done)).toContain('Paid.')
  expect(paid).toEqual(['5'])

  const other = payingAgent('Then not.')
  const second = await serve(other.graph)
  const { id } = taskOf(await second.remote.send('pay 5'))
  const denied = taskOf(await second.remote.send('no: too dear', { taskId: id }))
  expect(stateOf(denied)).toBe('TASK_STATE_COMPLETED')
  expect(paid).toEqual(['5'])
  expect(JSON.stringify(other.model.calls.at(-1)?.messages)).toContain('too dear')
})

test('8.2: an answer whose thread was lost begins the task anew', async () => {
  const checkpointer = new MemorySaver()
  const model = fakeModel()
    .respondWithTools([{ name: 'pay', args: { amount: '7' }, id: 'call-1' }])
    .respondWithTools([{ name: 'pay', args: { amount: '7' }, id: 'call-2' }])
    .respond(new AIMessage('Paid.'))
  const gate = humanInTheLoopMiddleware({ interruptOn: { pay: { allowedDecisions: ['approve', 'reject'] } } })
  const { remote } = await serve(createAgent({ model, tools: [pay], middleware: [gate], checkpointer }))
  paid.length = 0
  const { id } = taskOf(await remote.send('pay 7'))
  for (const key of Object.keys(checkpointer.storage)) await checkpointer.deleteThread(key)
  const again = taskOf(await remote.send('approve', { taskId: id }))
  expect(stateOf(again)).toBe('TASK_STATE_INPUT_REQUIRED')
  expect(paid).toEqual([])
  await remote.send('approve', { taskId: id })
  expect(paid).toEqual(['7'])
})

test('8.2: another owner does not reach a thread by its context id', async () => {
  const model = fakeModel().respond(new AIMessage('A')).respond(new AIMessage('B'))
  const graph = createAgent({ model, tools: [], checkpointer: new MemorySaver() })
  const [ada, eve] = [await serve(graph), await serve(graph, {}, 'bearer:eve')]
  await ada.remote.send('secret', { contextId: 'chat-1' })
  await eve.remote.send('what was said?', { contextId: 'chat-1' })
  expect(model.calls[1]?.messages.map(({ text }) => text)).toEqual(['what was said?'])
})

test('8.2: cancel stops the graph by its signal', async () => {
  let stopped = () => {}
  const over = new Promise<void>((resolve) => {
    stopped = resolve
  })
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('wait', (_, config) => {
      config.signal?.addEventListener('abort', stopped)
      return new Promise<never>((_, reject) => config.signal?.addEventListener('abort', reject))
    })
    .addEdge(START, 'wait')
    .addEdge('wait', END)
    .compile()
  const { remote } = await serve(graph)
  const begun = taskOf(await remote.send('go', { configuration: { returnImmediately: true } }))
  const canceled = await remote.cancel(begun.id)
  expect(stateOf(canceled)).toBe('TASK_STATE_CANCELED')
  await over
})

test('8.2: files are content blocks, a structured response is data, an exception stays inside', async () => {
  const responseFormat = z.object({ city: z.string() })
  const model = fakeModel()
    .respondWithTools([{ name: 'extract-1', args: { city: 'Rome' }, id: 'call-1' }])
    .respond(new Error('hunter2'))
  const { remote, errors } = await serve(createAgent({ model, tools: [], responseFormat }))
  const sent = await remote.send([{ text: 'look' }, { raw: 'AAEC', mediaType: 'image/png' }])
  const seen = JSON.stringify(model.calls[0]?.messages)
  expect(seen).toContain('AAEC')
  expect(JSON.stringify(sent)).not.toContain('hunter2')
  const failed = taskOf(await remote.send('again'))
  expect(stateOf(failed)).toBe('TASK_STATE_FAILED')
  expect(JSON.stringify(failed)).not.toContain('hunter2')
  expect(String(errors)).toContain('hunter2')
})
