/** The same conversation in LangChain and in both majors of the AI SDK, for tests: a model buys, a human is asked. */
import { toAiSdkTools, toolApproval } from '@aetherkit/ai-sdk'
import { interruptOn, toLangChainTools } from '@aetherkit/langchain'
import { type PaymentContext, paymentTools } from '@aetherkit/tools/payments'
import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import { Command, MemorySaver } from '@langchain/langgraph'
import * as ai6 from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import * as ai7 from 'ai7'
import { createAgent, humanInTheLoopMiddleware } from 'langchain'
import { z } from 'zod'

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

/** One conversation in which the model makes one call of `paid_fetch` and then says what it read. */
interface Conversation {
  /** Until the end, or until a human is asked: then the text of the question. LangChain's caller may give a context. */
  start(context?: { interruptOn: Record<string, false> }): Promise<string | undefined>
  /** The human's answer to the last question; what the model reads of the tool then. Again: the same answer once more. */
  answer(approved: boolean): Promise<string>
  /** The answer to a question whose arguments were changed behind the human's back. */
  answerEdited(args: Record<string, unknown>): Promise<string>
  /** What the model read of the tool's result at last. */
  read(): string
}

export type Converse = (ctx: PaymentContext, args: Record<string, unknown>, callId?: string) => Conversation

export const inLangChain: Converse = (ctx, args, id = 'call-1') => {
  const said = (messages: readonly unknown[]) => {
    const found = messages.findLast((message) => ToolMessage.isInstance(message))
    return String(found?.content ?? '')
  }
  let read = ''
  const model = fakeModel().respondWithTools([{ name: 'paid_fetch', args, id }])
  for (let turn = 0; turn < 5; turn++)
    model.respond((messages) => {
      read = said(messages)
      return new AIMessage('done')
    })
  const agent = createAgent({
    model,
    tools: toLangChainTools(paymentTools, ctx),
    middleware: [humanInTheLoopMiddleware({ interruptOn: interruptOn(paymentTools, ctx) })],
    checkpointer: new MemorySaver(),
  })
  const config = { configurable: { thread_id: '1' } }
  let older = config
  const resume = async (decision: object) => {
    // Always from the checkpoint at which the human was asked: the second time it is an older one.
    await agent.invoke(new Command({ resume: { decisions: [decision] } }), older)
    return read
  }
  return {
    async start(context) {
      const call = context === undefined ? config : { ...config, context }
      const paused = await agent.invoke({ messages: [new HumanMessage('buy it')] }, call)
      older = (await agent.graph.getState(config)).config as typeof config
      const [asked] = paused.__interrupt__ ?? []
      const question = z.object({ actionRequests: z.array(z.object({ description: z.string() })) })
      return asked && question.parse(asked.value).actionRequests[0]?.description
    },
    answer: (approved) => resume({ type: approved ? 'approve' : 'reject' }),
    answerEdited: (edited) => resume({ type: 'edit', editedAction: { name: 'paid_fetch', args: edited } }),
    read: () => read,
  }
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}
const part = z.looseObject({ type: z.string() })
const shownPart = z.looseObject({
  output: z.looseObject({ value: z.unknown(), reason: z.unknown() }).partial(),
})

/** Both majors: 6 by `needsApproval` of the tools, 7 by `toolApproval` of the call. */
export const inAiSdk =
  (major: 6 | 7): Converse =>
  (ctx, args, toolCallId = 'call-1') => {
    let read = ''
    const tools = toAiSdkTools(paymentTools, ctx)
    const turnOf = (prompt: readonly { readonly role: string; readonly content: unknown }[]) => {
      const last = prompt.at(-1)
      const wants = last?.role === 'user'
      if (!wants && Array.isArray(last?.content))
        read = JSON.stringify(shownPart.parse(last.content.at(-1)).output)
      const call = {
        type: 'tool-call' as const,
        toolCallId,
        toolName: 'paid_fetch',
        input: JSON.stringify(args),
      }
      return {
        content: [wants ? call : { type: 'text' as const, text: 'done' }],
        finishReason: { unified: wants ? ('tool-calls' as const) : ('stop' as const), raw: undefined },
        usage,
        warnings: [],
      }
    }
    const model = new MockLanguageModelV3({ doGenerate: async ({ prompt }) => turnOf(prompt) })
    const ask = async (history: readonly unknown[]) => {
      const messages = [{ role: 'user' as const, content: 'buy it' }, ...history]
      if (major === 6) {
        const settings = { model, tools, maxRetries: 0, stopWhen: ai6.stepCountIs(3) }
        return ai6.generateText({ ...settings, messages: ai6.modelMessageSchema.array().parse(messages) })
      }
      const settings = { model, tools, maxRetries: 0, stopWhen: ai7.isStepCount(3) }
      const gate = toolApproval(paymentTools, ctx)
      const parsed = ai7.modelMessageSchema.array().parse(messages)
      return ai7.generateText({ ...settings, toolApproval: gate, messages: parsed })
    }
    let paused: unknown[] = []
    const answerTo = async (history: readonly unknown[], approved: boolean) => {
      const parts = z.array(z.object({ content: z.array(part) })).parse(history)
      const request = parts
        .flatMap(({ content }) => content)
        .find(({ type }) => type === 'tool-approval-request')
      const response = { type: 'tool-approval-response', approvalId: request?.approvalId, approved }
      await ask([...history, { role: 'tool', content: [response] }])
      return read
    }
    return {
      async start() {
        const result = await ask([])
        paused = result.response.messages
        const request = result.content.find(({ type }) => type === 'tool-approval-request')
        if (request === undefined) return undefined
        return major === 7 ? JSON.stringify([request, paused]) : 'asked'
      },
      answer: (approved) => answerTo(paused, approved),
      answerEdited: (edited) => {
        const rewrite = (_key: string, value: unknown) =>
          typeof value === 'object' && value !== null && 'toolName' in value && 'input' in value
            ? { ...value, input: edited }
            : value
        return answerTo(JSON.parse(JSON.stringify(paused), rewrite), true)
      },
      read: () => read,
    }
  }
