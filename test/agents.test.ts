/** Two agents of two frameworks find and call each other over a real relay. */
import { aetherTools as aiSdkTools } from '@aetherkit/ai-sdk'
import { type Client, connect } from '@aetherkit/client'
import { AetherToolkit, toLangChainTools } from '@aetherkit/langchain'
import { createRelay, type Relay } from '@aetherkit/relay'
import { aetherToolCases, type ToolSurface, toolChecks } from '@aetherkit/tools/testing'
import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import { convertToOpenAITool } from '@langchain/core/utils/function_calling'
import { generateText, stepCountIs } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { createAgent } from 'langchain'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'

let relay: Relay
let poet: Client
let critic: Client

beforeAll(async () => {
  relay = await createRelay()
  poet = await connect(relay.url)
  critic = await connect(relay.url)
})

afterAll(async () => {
  await Promise.all([poet?.close(), critic?.close()])
  await relay?.close()
})

const agentList = z.object({ agents: z.array(z.object({ public_key: z.string() })) })

/** The key of the first agent in the result of aether_discover, as a model would read it. */
function firstKey(discovered: string): string {
  return agentList.parse(JSON.parse(discovered)).agents[0]?.public_key ?? 'nobody'
}

/** A LangChain agent that looks for a capability and requests it with `payload`. */
async function askByLangChain(client: Client, capability: string, payload: string): Promise<string> {
  const lastText = (messages: readonly unknown[]) => {
    const last = messages.at(-1)
    return ToolMessage.isInstance(last) ? String(last.content) : ''
  }
  const act = (name: string, args: Record<string, unknown>) =>
    new AIMessage({ content: '', tool_calls: [{ type: 'tool_call', id: `call-${name}`, name, args }] })
  const model = fakeModel()
    .respond(act('aether_discover', { capability }))
    .respond((messages) =>
      act('aether_request', { to: firstKey(lastText(messages)), action: capability, payload }),
    )
    .respond((messages) => new AIMessage(lastText(messages)))
  const agent = createAgent({ model, tools: new AetherToolkit(client).getTools() })
  const { messages } = await agent.invoke({ messages: [new HumanMessage('ask somebody')] })
  return String(messages.at(-1)?.content)
}

/** The same by the AI SDK. */
async function askByAiSdk(client: Client, capability: string, payload: string): Promise<string> {
  const shownText = z.array(
    z.looseObject({
      content: z.union([
        z.string(),
        z.array(z.looseObject({ output: z.looseObject({ value: z.string() }).optional() })),
      ]),
    }),
  )
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 },
  }
  let turn = 0
  const model = new MockLanguageModelV3({
    doGenerate: async ({ prompt }) => {
      const content = shownText.parse(prompt).at(-1)?.content
      const read = Array.isArray(content) ? (content[0]?.output?.value ?? '') : ''
      const act = (toolName: string, args: unknown) => ({
        content: [
          {
            type: 'tool-call' as const,
            toolCallId: `call-${toolName}`,
            toolName,
            input: JSON.stringify(args),
          },
        ],
        finishReason: { unified: 'tool-calls' as const, raw: undefined },
        usage,
        warnings: [],
      })
      turn++
      if (turn === 1) return act('aether_discover', { capability })
      if (turn === 2) return act('aether_request', { to: firstKey(read), action: capability, payload })
      const finishReason = { unified: 'stop' as const, raw: undefined }
      return { content: [{ type: 'text', text: read }], finishReason, usage, warnings: [] }
    },
  })
  const tools = aiSdkTools(client)
  const { text } = await generateText({ model, tools, stopWhen: stepCountIs(5), prompt: 'ask somebody' })
  return text
}

describe('a LangChain agent and an AI SDK agent', () => {
  it('discover and request each other', async () => {
    poet.serve('poem', (topic) => `a poem on ${topic}`)
    critic.serve('review', (text) => `well said: ${text}`)
    await poet.advertise({ name: 'Poet', capabilities: [{ name: 'poem' }] })
    await critic.advertise({ name: 'Critic', capabilities: [{ name: 'review' }] })

    const review = JSON.parse(await askByLangChain(poet, 'review', 'roses'))
    expect(review).toMatchObject({
      from: critic.publicKey,
      verified: true,
      untrusted_text: 'well said: roses',
    })
    const poem = JSON.parse(await askByAiSdk(critic, 'poem', 'stones'))
    expect(poem).toMatchObject({ from: poet.publicKey, verified: true, untrusted_text: 'a poem on stones' })
  })
})

describe('every Aether tool', () => {
  it('passes the conformance suite as a LangChain tool', async () => {
    const langChain: ToolSurface = {
      name: 'LangChain',
      convert: (definition) => toLangChainTools([definition], {}).map((tool) => convertToOpenAITool(tool)),
      async call(definition, ctx, args, { onBug, callId }) {
        const [tool] = toLangChainTools([definition], ctx, { onBug })
        return tool?.invoke({ type: 'tool_call', name: definition.name, args, id: callId })
      },
    }
    for (const { name, run } of toolChecks(await aetherToolCases(poet, critic), [langChain])) {
      await expect(run(), name).resolves.toBeUndefined()
    }
  })
})
