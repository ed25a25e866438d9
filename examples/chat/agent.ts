/** The agent of the chat: a waiter with one tool, which asks before it books. Scripted, or OpenAI with a key. */
import { openai } from '@ai-sdk/openai'
import { simulateReadableStream, ToolLoopAgent, tool } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { z } from 'zod'

const STORY =
  'Good evening! This answer comes from an agent that has no web server: it is addressed by its public key, over a relay. ' +
  'Every word is sealed for you and stored at the relay while it is written, so that you may reload this page now, in the ' +
  'middle of the sentence, and nothing is lost or said twice. Ask me to book a table, and I will ask you first.'

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

/** `wordMs`: the pace of the scripted model. */
export function createWaiter({ wordMs = 60 } = {}) {
  const bookTable = tool({
    description: 'Books a table at the restaurant',
    title: 'Book a table',
    inputSchema: z.object({ people: z.number(), at: z.string() }),
    needsApproval: true,
    execute: async ({ people, at }) => ({ booked: true, people, at, table: 7 }),
  })
  return new ToolLoopAgent({
    id: 'waiter',
    instructions: 'You are a friendly waiter. Book tables with the tool.',
    model: process.env.OPENAI_API_KEY ? openai('gpt-5-mini') : scriptedModel(wordMs),
    tools: { book_table: bookTable },
  })
}

function scriptedModel(wordMs: number) {
  let calls = 0
  return new MockLanguageModelV3({
    modelId: 'scripted',
    doStream: async ({ prompt }) => {
      const last = prompt.at(-1)
      const asked = last?.role === 'user' ? JSON.stringify(last.content).toLowerCase() : ''
      const result = last?.role === 'tool' ? JSON.stringify(last.content) : ''
      const isBooking = asked.includes('book') || asked.includes('table')
      const text = isBooking
        ? 'A table for two at eight, then. Shall I?'
        : result.includes('"booked":true')
          ? 'Done: table 7 is yours at eight.'
          : result !== ''
            ? 'As you wish, nothing was booked.'
            : STORY
      const words = text.split(/(?<= )/)
      const input = JSON.stringify({ people: 2, at: '20:00' })
      const toolCallId = `call-${++calls}`
      return {
        stream: simulateReadableStream({
          chunkDelayInMs: wordMs,
          chunks: [
            { type: 'stream-start' as const, warnings: [] },
            { type: 'text-start' as const, id: '1' },
            ...words.map((delta) => ({ type: 'text-delta' as const, id: '1', delta })),
            { type: 'text-end' as const, id: '1' },
            ...(isBooking ? [{ type: 'tool-call' as const, toolCallId, toolName: 'book_table', input }] : []),
            {
              type: 'finish' as const,
              finishReason: {
                unified: isBooking ? ('tool-calls' as const) : ('stop' as const),
                raw: undefined,
              },
              usage,
            },
          ],
        }),
      }
    },
  })
}
