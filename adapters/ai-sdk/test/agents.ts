/** Agents of both majors over a scripted model, for tests that serve and call them. */
import * as ai6 from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import * as ai7 from 'ai7'
import { MockLanguageModelV4 } from 'ai7/test'
import { z } from 'zod'
import type { AiAgent } from '../src/ai-agent.js'

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

export interface Turn {
  /** Deltas. */
  readonly text?: readonly string[]
  readonly call?: { readonly toolName: string; readonly args: unknown; readonly id?: string }
  /** Base64 of a PNG. */
  readonly file?: string
  /** After the first delta. */
  readonly wait?: Promise<unknown>
  readonly fails?: string
}

export interface Script {
  readonly turns: readonly Turn[]
  readonly secret?: string
  readonly structured?: boolean
}

export interface Scripted {
  readonly agent: AiAgent
  /** The prompt of each call of the model. */
  readonly prompts: () => readonly unknown[]
  readonly paid: string[]
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

/** `fileOf`: a file in the form of the model's major. */
function scripted<F>(turns: readonly Turn[], fileOf: (data: string) => F) {
  let at = 0
  const next = (): Turn => {
    const turn = turns[at++]
    if (turn === undefined) throw new Error('the script of the test model is at its end')
    if (turn.fails !== undefined) throw new Error(turn.fails)
    return turn
  }
  const callOf = ({ call }: Turn) =>
    call && {
      type: 'tool-call' as const,
      toolCallId: call.id ?? `call-${at}`,
      toolName: call.toolName,
      input: JSON.stringify(call.args),
    }
  const finish = ({ call }: Turn) => ({
    finishReason: { unified: call ? ('tool-calls' as const) : ('stop' as const), raw: undefined },
    usage,
  })
  return {
    doGenerate: async () => {
      const turn = next()
      const text = (turn.text ?? []).join('')
      const call = callOf(turn)
      const content = [
        ...(text === '' ? [] : [{ type: 'text' as const, text }]),
        ...(turn.file === undefined ? [] : [fileOf(turn.file)]),
        ...(call ? [call] : []),
      ]
      return { content, ...finish(turn), warnings: [] }
    },
    doStream: async ({ abortSignal }: { abortSignal?: AbortSignal | undefined }) => {
      const turn = next()
      const call = callOf(turn)
      async function* parts() {
        yield { type: 'stream-start' as const, warnings: [] }
        const [first, ...rest] = turn.text ?? []
        if (first !== undefined) {
          yield { type: 'text-start' as const, id: '1' }
          yield { type: 'text-delta' as const, id: '1', delta: first }
        }
        if (turn.wait !== undefined) await Promise.race([turn.wait, aborted(abortSignal)])
        for (const delta of rest) yield { type: 'text-delta' as const, id: '1', delta }
        if (first !== undefined) yield { type: 'text-end' as const, id: '1' }
        if (turn.file !== undefined) yield fileOf(turn.file)
        if (call) yield call
        yield { type: 'finish' as const, ...finish(turn) }
      }
      return { stream: toStream(parts()) }
    },
  }
}

const file6 = (data: string) => ({ type: 'file' as const, mediaType: 'image/png', data })
const file7 = (data: string) => ({
  type: 'file' as const,
  mediaType: 'image/png',
  data: { type: 'data' as const, data },
})

const aborted = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))

function toStream<T>(parts: AsyncGenerator<T>): ReadableStream<T> {
  return new ReadableStream<T>({
    async pull(controller) {
      const { done, value } = await parts.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
  })
}

const inputSchema = z.object({ amount: z.string() })
const structure = z.object({ city: z.string(), degrees: z.number() })

function payTool(paid: string[]) {
  return {
    description: 'Pays somebody',
    title: 'Pay',
    inputSchema,
    needsApproval: ({ amount }: { amount: string }) => Number(amount) > 100,
    execute: async ({ amount }: { amount: string }) => {
      paid.push(amount)
      if (amount === '66') throw new Error('hunter2')
      return { receipt: `for ${amount}` }
    },
  }
}

export const majors = [
  {
    major: 'ai 6',
    create({ turns, secret, structured = false }: Script): Scripted {
      const model = new MockLanguageModelV3(scripted(turns, file6))
      const paid: string[] = []
      const agent = new ai6.ToolLoopAgent({
        model,
        maxRetries: 0,
        tools: { pay: payTool(paid) },
        ...(structured && { output: ai6.Output.object({ schema: structure }) }),
        ...(secret !== undefined && { experimental_toolApprovalSecret: secret }),
      })
      const prompts = () => [...model.doGenerateCalls, ...model.doStreamCalls].map(({ prompt }) => prompt)
      return { agent, prompts, paid }
    },
    generateText: ai6.generateText,
    streamText: ai6.streamText,
    streamer: (turns: readonly Turn[]): AiAgent => {
      const model = new MockLanguageModelV3(scripted(turns, file6))
      return (call) => ai6.streamText({ model, maxRetries: 0, ...call })
    },
  },
  {
    major: 'ai 7',
    create({ turns, secret, structured = false }: Script): Scripted {
      const model = new MockLanguageModelV4(scripted(turns, file7))
      const paid: string[] = []
      const agent = new ai7.ToolLoopAgent({
        model,
        maxRetries: 0,
        tools: { pay: payTool(paid) },
        ...(structured && { output: ai7.Output.object({ schema: structure }) }),
        ...(secret !== undefined && { experimental_toolApprovalSecret: secret }),
      })
      const prompts = () => [...model.doGenerateCalls, ...model.doStreamCalls].map(({ prompt }) => prompt)
      return { agent, prompts, paid }
    },
    generateText: ai7.generateText,
    streamText: ai7.streamText,
    streamer: (turns: readonly Turn[]): AiAgent => {
      const model = new MockLanguageModelV4(scripted(turns, file7))
      return (call) => ai7.streamText({ model, maxRetries: 0, ...call })
    },
  },
] as const
