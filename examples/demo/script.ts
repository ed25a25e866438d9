/**
 * The demo's models: scripted, so that it runs without a key; real ones when OPENAI_API_KEY is set
 * (OPENAI_MODEL picks which). A script is one line a step: what the model does, given the last tool result.
 */
import { createOpenAI } from '@ai-sdk/openai'
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { fakeModel } from '@langchain/core/testing'
import { ChatOpenAI } from '@langchain/openai'
import type { LanguageModel } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { AIMessage } from 'langchain'

export type Step = (result: string) => { tool: string; input: Record<string, unknown> } | string

const apiKey = process.env.OPENAI_API_KEY
const modelName = process.env.OPENAI_MODEL ?? 'gpt-5-mini'
export const isReal = apiKey !== undefined && apiKey !== ''

export function langChainModel(...steps: Step[]): BaseChatModel {
  if (isReal) return new ChatOpenAI({ model: modelName })
  const model = fakeModel()
  steps.forEach((step, index) => {
    model.respond((messages) => {
      const next = step(messages.at(-1)?.text ?? '')
      if (typeof next === 'string') return new AIMessage(next)
      return new AIMessage({
        content: '',
        tool_calls: [{ id: `call-${index}`, name: next.tool, args: next.input }],
      })
    })
  })
  return model
}

export function aiSdkModel(...steps: Step[]): LanguageModel {
  if (isReal) return createOpenAI({ apiKey })(modelName)
  let index = 0
  return new MockLanguageModelV3({
    doGenerate: async ({ prompt }) => {
      const next = steps[index++]?.(lastResult(prompt)) ?? 'done'
      const isText = typeof next === 'string'
      return {
        content: isText
          ? [{ type: 'text', text: next }]
          : [
              {
                type: 'tool-call',
                toolCallId: `call-${index}`,
                toolName: next.tool,
                input: JSON.stringify(next.input),
              },
            ],
        finishReason: { unified: isText ? 'stop' : 'tool-calls', raw: undefined },
        usage: {
          inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
          outputTokens: { total: 0, text: 0, reasoning: 0 },
        },
        warnings: [],
      }
    },
  })
}

/** What the last tool told the model, as text. */
function lastResult(prompt: Parameters<MockLanguageModelV3['doGenerate']>[0]['prompt']): string {
  const last = prompt.at(-1)
  if (last?.role !== 'tool') return ''
  const part = last.content.at(-1)
  return part?.type === 'tool-result' && part.output.type === 'text' ? part.output.value : ''
}
