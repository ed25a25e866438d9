/**
 * The demo's models: scripted, so that it runs without a key; real ones when OPENAI_API_KEY is set
 * (OPENAI_MODEL picks which). A script is one line a step: what the model does, given the last tool result.
 */
import { createOpenAI } from '@ai-sdk/openai'
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { fakeModel } from '@langchain/core/testing'
import { ChatOpenAI } from '@langchain/openai'
import { type LanguageModel, simulateReadableStream } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { AIMessage } from 'langchain'

export type Step = (result: string) => { tool: string; input: Record<string, unknown> } | string

const apiKey = process.env.OPENAI_API_KEY
const modelName = process.env.OPENAI_MODEL ?? 'gpt-5-mini'
export const isReal = apiKey !== undefined && apiKey !== ''
/** How often a script is played over, for agents that stay up. */
const ROUNDS = 50
/** Between two words of a scripted model that streams. */
const WORD_MS = 15

export function langChainModel(...steps: Step[]): BaseChatModel {
  if (isReal) return new ChatOpenAI({ model: modelName })
  const model = fakeModel()
  Array.from({ length: ROUNDS }, () => steps)
    .flat()
    .forEach((step, index) => {
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
  const usage = {
    inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 0, text: 0, reasoning: 0 },
  }
  const play = (prompt: Prompt) => {
    const next = steps[index++ % steps.length]?.(lastResult(prompt)) ?? 'done'
    const isText = typeof next === 'string'
    return { next, finishReason: { unified: isText ? 'stop' : 'tool-calls', raw: undefined } as const }
  }
  const call = (next: Exclude<ReturnType<Step>, string>) =>
    ({
      type: 'tool-call',
      toolCallId: `call-${index}`,
      toolName: next.tool,
      input: JSON.stringify(next.input),
    }) as const
  return new MockLanguageModelV3({
    doGenerate: async ({ prompt }) => {
      const { next, finishReason } = play(prompt)
      const content = [typeof next === 'string' ? ({ type: 'text', text: next } as const) : call(next)]
      return { content, finishReason, usage, warnings: [] }
    },
    doStream: async ({ prompt }) => {
      const { next, finishReason } = play(prompt)
      const words = typeof next === 'string' ? next.split(/(?<= )/) : []
      const said: Chunk[] = [
        { type: 'text-start', id: '0' },
        ...words.map((delta): Chunk => ({ type: 'text-delta', id: '0', delta })),
        { type: 'text-end', id: '0' },
      ]
      const chunks: Chunk[] = [
        { type: 'stream-start', warnings: [] },
        ...(typeof next === 'string' ? said : [call(next)]),
        { type: 'finish', finishReason, usage },
      ]
      return { stream: simulateReadableStream({ chunks, chunkDelayInMs: WORD_MS }) }
    },
  })
}

type Streamed = Awaited<ReturnType<MockLanguageModelV3['doStream']>>['stream']
type Chunk = Streamed extends ReadableStream<infer Each> ? Each : never
type Prompt = Parameters<MockLanguageModelV3['doGenerate']>[0]['prompt']

/** What the last tool told the model, as text. */
function lastResult(prompt: Prompt): string {
  const last = prompt.at(-1)
  if (last?.role !== 'tool') return ''
  const part = last.content.at(-1)
  return part?.type === 'tool-result' && part.output.type === 'text' ? part.output.value : ''
}
