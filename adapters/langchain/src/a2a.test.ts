/** Other agents as tools of a LangChain agent (spec a2a 8.1): the adapter maps them as any other tool. */
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import { Command, MemorySaver } from '@langchain/langgraph'
import { createAgent, humanInTheLoopMiddleware } from 'langchain'
import { expect, it } from 'vitest'
import { openGuide } from '../../../packages/tools/test/guide.js'
import { interruptOn, toLangChainTools } from './index.js'

const calling = (...messages: string[]) =>
  messages
    .reduce(
      (model, message, index) =>
        model.respondWithTools([{ name: 'guide__places', args: { message }, id: `call-${index}` }]),
      fakeModel(),
    )
    .respond(new AIMessage('done'))

const lastTool = (messages: readonly BaseMessage[]): ToolMessage => {
  const found = messages.findLast((message) => ToolMessage.isInstance(message))
  if (found === undefined) throw new Error('no tool message')
  return found
}
const go = { messages: [new HumanMessage('go')] }

it('gives the model labelled text, the application the artifacts, and the stream the progress', async () => {
  const { definitions, ctx } = await openGuide()
  const agent = createAgent({ model: calling('Oslo'), tools: toLangChainTools(definitions, ctx) })
  const chunks: unknown[] = []
  let messages: BaseMessage[] = []
  for await (const [mode, chunk] of await agent.stream(go, { streamMode: ['custom', 'values'] })) {
    if (mode === 'custom') chunks.push(chunk)
    else ({ messages } = chunk as { messages: BaseMessage[] })
  }
  const result = lastTool(messages)
  expect(JSON.parse(result.text)).toMatchObject({ agent: 'guide', state: 'completed' })
  expect(JSON.parse(result.text).untrusted_text).toContain('about Oslo')
  expect(result.artifact).toMatchObject({ artifacts: [{ data: [{ stars: 5 }] }] })
  expect(JSON.stringify(chunks)).toContain('"untrusted_text":"looking"')
})

it('goes on with the same task when the model calls again with the answer', async () => {
  const { definitions, ctx, executions } = await openGuide()
  const agent = createAgent({ model: calling('ask', 'Oslo'), tools: toLangChainTools(definitions, ctx) })
  const { messages } = await agent.invoke(go)
  expect(lastTool(messages).text).toContain('about Oslo')
  expect(executions.map(({ task }) => task.id)).toEqual([executions[0]?.task.id, executions[0]?.task.id])
})

it('pauses the graph with the question, goes on with the answer, and asks the agent once for each', async () => {
  const { definitions, ctx, executions } = await openGuide()
  const tools = toLangChainTools(definitions, ctx, { interrupt: true })
  const agent = createAgent({ model: calling('ask'), tools, checkpointer: new MemorySaver() })
  const config = { configurable: { thread_id: 'one' } }
  const paused = await agent.invoke(go, config)
  expect(paused.__interrupt__?.[0]?.value).toEqual({
    type: 'agent-question',
    agent: 'guide',
    needs: 'input',
    untrusted_text: 'Which city?',
  })
  expect(executions).toHaveLength(1)
  const { messages } = await agent.invoke(new Command({ resume: 'Oslo' }), config)
  expect(lastTool(messages).text).toContain('about Oslo')
  expect(executions).toHaveLength(2)
  expect(executions[1]?.resumed).toBe(true)
})

it('asks a human through the middleware when the agent leaves a decision to one', async () => {
  const { definitions, ctx, executions } = await openGuide()
  const agent = createAgent({
    model: calling('allow', 'approve'),
    tools: toLangChainTools(definitions, ctx),
    middleware: [humanInTheLoopMiddleware({ interruptOn: interruptOn(definitions, ctx) })],
    checkpointer: new MemorySaver(),
  })
  const config = { configurable: { thread_id: 'two' } }
  const paused = await agent.invoke(go, config)
  expect(JSON.stringify(paused.__interrupt__?.[0]?.value)).toContain('guide leaves a decision to you')
  expect(executions).toHaveLength(1)
  const { messages } = await agent.invoke(
    new Command({ resume: { decisions: [{ type: 'approve' }] } }),
    config,
  )
  expect(lastTool(messages).text).toContain('about approve')
})

it('cancels the task at the agent when the run is aborted', async () => {
  const { definitions, ctx, executions } = await openGuide()
  const agent = createAgent({ model: calling('wait'), tools: toLangChainTools(definitions, ctx) })
  const stop = new AbortController()
  const running = agent.invoke(go, { signal: stop.signal })
  const settled = expect(running).rejects.toThrow()
  await expect.poll(() => executions.length).toBe(1)
  stop.abort()
  await settled
  await expect.poll(() => executions[0]?.signal.aborted).toBe(true)
})
