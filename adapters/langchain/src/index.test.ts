/** The adapter in LangChain's own agent loop, with its own test model (spec frameworks 11.1). */
import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import type { StructuredToolInterface } from '@langchain/core/tools'
import { Command, MemorySaver } from '@langchain/langgraph'
import { createAgent, humanInTheLoopMiddleware } from 'langchain'
import { describe, expect, it } from 'vitest'
import { definitions, testContext } from '../../../packages/tools/test/deeds.js'
import { interruptOn, toLangChainTools } from './index.js'

type Deed = 'answer' | 'refuse' | 'break' | 'stall' | 'draw' | 'progress'

function setUp(onStall?: () => void) {
  const ctx = testContext(onStall)
  const bugs: unknown[] = []
  return { ctx, bugs, tools: toLangChainTools(definitions, ctx, { onBug: (error) => bugs.push(error) }) }
}

async function runAgent(tools: StructuredToolInterface[], name: string, args: Record<string, unknown>) {
  const model = fakeModel()
    .respondWithTools([{ name, args, id: 'call-1' }])
    .respond(new AIMessage('done'))
  const agent = createAgent({ model, tools })
  const { messages } = await agent.invoke({ messages: [new HumanMessage('go')] })
  return { result: toolMessageOf(messages), seen: JSON.stringify(model.calls.at(-1)?.messages), model }
}

function toolMessageOf(messages: readonly unknown[]): ToolMessage {
  const found = messages.findLast((message) => ToolMessage.isInstance(message))
  if (found === undefined) throw new Error('the agent made no tool message')
  return found
}

const act = (deed: Deed) => runAgent(setUp().tools, 'act', { deed })

describe('in createAgent', () => {
  it('gives the model the short text and keeps the output as artifact', async () => {
    const { result, seen } = await act('answer')
    expect(result).toMatchObject({ status: 'success', content: 'Did answer.', tool_call_id: 'call-1' })
    expect(result.artifact).toEqual({ deed: 'answer', proof: 'sealed' })
    expect(seen).not.toContain('"proof":"sealed"'.replaceAll('"', '\\"'))
  })

  it('gives an expected error as an error message with its code', async () => {
    const { result } = await act('refuse')
    expect(result.status).toBe('error')
    expect(JSON.parse(String(result.content))).toEqual({
      error: 'NOT_FOUND',
      message: 'no such agent',
      retryable: false,
    })
    expect(result.artifact).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('hides an unknown exception behind INTERNAL and reports it', async () => {
    const { tools, bugs } = setUp()
    const { result, seen } = await runAgent(tools, 'act', { deed: 'break' })
    expect(JSON.parse(String(result.content))).toMatchObject({ error: 'INTERNAL', message: 'act failed' })
    expect(seen).not.toContain('hunter2')
    expect(String(bugs[0])).toContain('hunter2')
  })

  it('answers TIMEOUT for a tool that is late, and the loop goes on', async () => {
    const { result, model } = await act('stall')
    expect(JSON.parse(String(result.content))).toMatchObject({ error: 'TIMEOUT', retryable: true })
    expect(model.callCount).toBe(2)
  })

  it('names the wrong field of invalid input, without a stack or a path of this host', async () => {
    const { result } = await runAgent(setUp().tools, 'act', { deed: 7 })
    expect(result.status).toBe('error')
    expect(result.content).toContain('expected string')
    expect(result.content).not.toContain('file://')
    expect(result.content).not.toContain('node_modules')
  })

  it('gives images and files as content blocks', async () => {
    const { result } = await act('draw')
    expect(result.content).toEqual([
      { type: 'text', text: 'A picture.' },
      { type: 'image', mimeType: 'image/png', data: 'AAAA' },
      { type: 'file', mimeType: 'text/csv', data: 'AAAA', metadata: { filename: 'a.csv' } },
    ])
  })

  it('stops the run when the caller aborts, with no further model call', async () => {
    const stop = new AbortController()
    const { tools } = setUp(() => stop.abort(new Error('enough')))
    const model = fakeModel()
      .respondWithTools([{ name: 'act', args: { deed: 'stall' }, id: 'call-1' }])
      .respond(new AIMessage('done'))
    const agent = createAgent({ model, tools })
    const running = agent.invoke({ messages: [new HumanMessage('go')] }, { signal: stop.signal })
    await expect(running).rejects.toThrow('enough')
    expect(model.callCount).toBe(1)
  })

  it('streams progress as custom chunks', async () => {
    const model = fakeModel()
      .respondWithTools([{ name: 'act', args: { deed: 'progress' }, id: 'call-1' }])
      .respond(new AIMessage('done'))
    const agent = createAgent({ model, tools: setUp().tools })
    const chunks: unknown[] = []
    for await (const chunk of await agent.stream(
      { messages: [new HumanMessage('go')] },
      { streamMode: 'custom' },
    )) {
      chunks.push(chunk)
    }
    expect(chunks).toEqual([
      { type: 'tool-progress', name: 'act', callId: 'call-1', progress: { state: 'half' } },
    ])
  })
})

describe('invoked directly', () => {
  it('returns the text for arguments and a ToolMessage for a tool call', async () => {
    const [tool] = setUp().tools
    expect(await tool?.invoke({ deed: 'answer' })).toBe('Did answer.')
    const call = { type: 'tool_call' as const, name: 'act', args: { deed: 'answer' }, id: 'call-1' }
    expect(await tool?.invoke(call)).toMatchObject({ status: 'success', tool_call_id: 'call-1' })
  })

  it('throws the safe text of an error, as there is no call to answer', async () => {
    const [tool] = setUp().tools
    await expect(tool?.invoke({ deed: 'break' })).rejects.toThrow(
      '{"error":"INTERNAL","message":"act failed","retryable":false}',
    )
  })

  it('rejects at once with the reason of an already aborted signal', async () => {
    const [tool] = setUp().tools
    const reason = new Error('gone')
    const signal = AbortSignal.abort(reason)
    await expect(tool?.invoke({ deed: 'answer' }, { signal })).rejects.toBe(reason)
  })
})

describe('human in the loop', () => {
  /** An agent that pays `amount` and then `next`, gated by the definitions' own approval. */
  function payingAgent(amount: string) {
    const { ctx, tools } = setUp()
    const model = fakeModel()
      .respondWithTools([{ name: 'pay', args: { amount }, id: 'call-1' }])
      .respond(new AIMessage('done'))
      .respond(new AIMessage('done again'))
    const middleware = [humanInTheLoopMiddleware({ interruptOn: interruptOn(definitions, ctx) })]
    const agent = createAgent({ model, tools, middleware, checkpointer: new MemorySaver() })
    return { ctx, agent, config: { configurable: { thread_id: '1' } } }
  }
  const go = { messages: [new HumanMessage('pay')] }
  const resume = (type: 'approve' | 'reject') => new Command({ resume: { decisions: [{ type }] } })

  it('shows the human the text of the definition and pays after the approval', async () => {
    const { ctx, agent, config } = payingAgent('500')
    const paused = await agent.invoke(go, config)
    const [interrupt] = paused.__interrupt__ ?? []
    expect(interrupt?.value).toMatchObject({
      actionRequests: [{ name: 'pay', description: 'Pay 500 units?' }],
      reviewConfigs: [{ actionName: 'pay', allowedDecisions: ['approve', 'reject'] }],
    })
    expect(ctx.payments).toBe(0)
    const { messages } = await agent.invoke(resume('approve'), config)
    expect(toolMessageOf(messages)).toMatchObject({ status: 'success', content: '{"receipt":"1"}' })
    expect(ctx.payments).toBe(1)
  })

  it('pays nothing after a rejection', async () => {
    const { ctx, agent, config } = payingAgent('500')
    await agent.invoke(go, config)
    const { messages } = await agent.invoke(resume('reject'), config)
    expect(toolMessageOf(messages).status).toBe('error')
    expect(ctx.payments).toBe(0)
  })

  it('does not ask below the threshold of the definition, nor about arguments that do not parse', async () => {
    const cheap = payingAgent('100')
    expect((await cheap.agent.invoke(go, cheap.config)).__interrupt__).toBeUndefined()
    expect(cheap.ctx.payments).toBe(1)
    const wrong = payingAgent('all')
    expect((await wrong.agent.invoke(go, wrong.config)).__interrupt__).toBeUndefined()
    expect(wrong.ctx.payments).toBe(0)
  })

  it('pays once when an older checkpoint is resumed again', async () => {
    const { ctx, agent, config } = payingAgent('500')
    await agent.invoke(go, config)
    const older = await agent.graph.getState(config)
    await agent.invoke(resume('approve'), config)
    const again = await agent.invoke(resume('approve'), older.config)
    expect(toolMessageOf(again.messages).content).toBe('{"receipt":"1"}')
    expect(ctx.payments).toBe(1)
  })

  it('gates the prefixed names', () => {
    const { ctx } = setUp()
    const prefix = 'bank_'
    const [act, pay] = toLangChainTools(definitions, ctx, { prefix })
    expect([act?.name, pay?.name]).toEqual(['bank_act', 'bank_pay'])
    expect(Object.keys(interruptOn(definitions, ctx, { prefix }))).toEqual(['bank_pay'])
  })
})
