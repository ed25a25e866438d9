/** Agents on the reference SDK's server, of 1.0 and of 0.3, as tools of LangChain and of both majors of the AI SDK. */
import { toAiSdkTools } from '@aetherkit/ai-sdk'
import { toLangChainTools } from '@aetherkit/langchain'
import { a2aContext, a2aTools, memoryAgentConversations } from '@aetherkit/tools/a2a'
import { AIMessage, HumanMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import * as ai6 from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import * as ai7 from 'ai7'
import { MockLanguageModelV4 } from 'ai7/test'
import { createAgent } from 'langchain'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSdkServer, type SdkServer } from '../packages/a2a/test/sdk-server.js'

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

type Toolset = Awaited<ReturnType<typeof a2aTools>>
type Context = ReturnType<typeof a2aContext>
/** What the model saw at last, after it called the agent with one message after the other. */
type Run = (
  tools: Toolset['tools'],
  ctx: Context,
  says: readonly string[],
  signal?: AbortSignal,
) => Promise<string>

const langchain: Run = async (definitions, ctx, says, signal) => {
  const model = says
    .reduce(
      (scripted, message, index) =>
        scripted.respondWithTools([{ name: 'guide__echo', args: { message }, id: `call-${index}` }]),
      fakeModel(),
    )
    .respond(new AIMessage('done'))
  const agent = createAgent({ model, tools: toLangChainTools(definitions, ctx) })
  await agent.invoke({ messages: [new HumanMessage('go')] }, signal === undefined ? {} : { signal })
  return JSON.stringify(model.calls.at(-1)?.messages)
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

function scripted(says: readonly string[]) {
  let turn = 0
  return async () => {
    const message = says[turn++]
    const unified = message === undefined ? ('stop' as const) : ('tool-calls' as const)
    const input = JSON.stringify({ message })
    const call = { type: 'tool-call' as const, toolCallId: `call-${turn}`, toolName: 'guide__echo', input }
    const content = message === undefined ? { type: 'text' as const, text: 'done' } : call
    return { content: [content], finishReason: { unified, raw: undefined }, usage, warnings: [] }
  }
}

const aiSdk6: Run = async (definitions, ctx, says, abortSignal) => {
  const model = new MockLanguageModelV3({ doGenerate: scripted(says) })
  const tools = toAiSdkTools(definitions, ctx)
  const settings = { model, tools, prompt: 'go', maxRetries: 0, stopWhen: ai6.stepCountIs(9) }
  await ai6.generateText({ ...settings, ...(abortSignal && { abortSignal }) })
  return JSON.stringify(model.doGenerateCalls.at(-1)?.prompt)
}

const aiSdk7: Run = async (definitions, ctx, says, abortSignal) => {
  const model = new MockLanguageModelV4({ doGenerate: scripted(says) })
  const tools = toAiSdkTools(definitions, ctx)
  const settings = { model, tools, prompt: 'go', maxRetries: 0, stopWhen: ai7.isStepCount(9) }
  await ai7.generateText({ ...settings, ...(abortSignal && { abortSignal }) })
  return JSON.stringify(model.doGenerateCalls.at(-1)?.prompt)
}

describe.each([
  ['1.0', 'LangChain', langchain],
  ['1.0', 'ai 6', aiSdk6],
  ['1.0', 'ai 7', aiSdk7],
  ['0.3', 'LangChain', langchain],
  ['0.3', 'ai 6', aiSdk6],
  ['0.3', 'ai 7', aiSdk7],
] as const)('an SDK agent of %s in %s', (version, _framework, run) => {
  let server: SdkServer
  let set: Toolset
  beforeAll(async () => {
    server = await openSdkServer([version])
    const source = { url: server.url, allowPrivateNetwork: true, guard: { warn: () => {} } }
    set = await a2aTools({ agents: { guide: source } })
    expect(set.agents.guide?.interface.version).toBe(version)
  })
  afterAll(async () => {
    await set.close()
    await server.close()
  })
  const context = () =>
    a2aContext({ threadId: crypto.randomUUID(), conversations: memoryAgentConversations() })

  test('answers, and a question of its is answered on the same task', async () => {
    const seen = await run(set.tools, context(), ['ask', 'Oslo'])
    expect(seen).toContain('Which one?')
    expect(seen).toContain('input-required')
    expect(seen).toContain('Oslo')
    expect(seen).toContain('completed')
  })

  test('streams, and is cancelled when the run is aborted', async () => {
    expect(await run(set.tools, context(), ['chunks 3'])).toContain('0,1,2,')
    const stop = new AbortController()
    const before = server.canceled.length
    const waiting = server.waiting.size
    const settled = expect(run(set.tools, context(), ['wait'], stop.signal)).rejects.toThrow()
    await expect.poll(() => server.waiting.size).toBe(waiting + 1)
    stop.abort()
    await settled
    await expect.poll(() => server.canceled.length).toBe(before + 1)
  })
})
