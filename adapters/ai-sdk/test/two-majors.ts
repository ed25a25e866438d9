/** One tool set and one run, for tests, in every loop of both majors of the AI SDK, by the models of `ai/test`. */
import * as ai6 from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import * as ai7 from 'ai7'
import { MockLanguageModelV4 } from 'ai7/test'
import { definitions, type TestContext, testContext } from '../../../packages/tools/test/deeds.js'
import { toAiSdkTools, type toolApproval } from '../src/index.js'

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

export function setUp(onStall?: () => void) {
  const bugs: unknown[] = []
  const progress: unknown[] = []
  const ctx = testContext(onStall)
  const options = {
    onBug: (error: unknown) => bugs.push(error),
    onProgress: (...all: unknown[]) => progress.push(all),
  }
  return { bugs, progress, ctx, options, tools: toAiSdkTools(definitions, ctx, options) }
}

type Turn = { readonly toolName: string; readonly args: unknown } | { readonly text: string }
export type Mode = 'generateText' | 'streamText' | 'ToolLoopAgent'

/** What a test asks of either major. */
interface Run {
  readonly turns: readonly Turn[]
  readonly tools: ReturnType<typeof setUp>['tools']
  readonly history?: readonly unknown[]
  readonly signal?: AbortSignal
  readonly approval?: ReturnType<typeof toolApproval<typeof definitions, TestContext>>
}
interface Ran {
  readonly parts: readonly { readonly type: string }[]
  readonly messages: readonly unknown[]
  /** The prompt of the last model call. */
  readonly seen: string
  readonly calls: number
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

/** Answers turn by turn, generated or streamed; the same object for the mocks of both majors. */
function scripted(turns: readonly Turn[]) {
  let turn = 0
  const next = () => {
    const now = turns[turn++]
    if (now === undefined) throw new Error('the script of the test model is at its end')
    const call = 'toolName' in now && {
      type: 'tool-call' as const,
      toolCallId: 'call-1',
      toolName: now.toolName,
      input: JSON.stringify(now.args),
    }
    const unified = call ? ('tool-calls' as const) : ('stop' as const)
    return { call, text: 'text' in now ? now.text : '', finishReason: { unified, raw: undefined } }
  }
  return {
    doGenerate: async () => {
      const { call, text, finishReason } = next()
      return { content: [call || { type: 'text' as const, text }], finishReason, usage, warnings: [] }
    },
    doStream: async () => {
      const { call, text, finishReason } = next()
      const said = [
        { type: 'text-start' as const, id: '1' },
        { type: 'text-delta' as const, id: '1', delta: text },
        { type: 'text-end' as const, id: '1' },
      ]
      return {
        stream: ai6.simulateReadableStream({
          chunks: [
            { type: 'stream-start' as const, warnings: [] },
            ...(call ? [call] : said),
            { type: 'finish' as const, finishReason, usage },
          ],
        }),
      }
    },
  }
}

const userTurn = { role: 'user' as const, content: 'go' }

export async function run6(mode: Mode, { turns, tools, history, signal }: Run): Promise<Ran> {
  const model = new MockLanguageModelV3(scripted(turns))
  const messages = ai6.modelMessageSchema.array().parse([userTurn, ...(history ?? [])])
  const settings = { model, tools, maxRetries: 0, stopWhen: ai6.stepCountIs(5) }
  const call = { messages, ...(signal && { abortSignal: signal }) }
  const errors: unknown[] = []
  const result =
    mode === 'generateText'
      ? await ai6.generateText({ ...settings, ...call })
      : mode === 'ToolLoopAgent'
        ? await new ai6.ToolLoopAgent(settings).generate(call)
        : ai6.streamText({ ...settings, ...call, onError: ({ error }) => void errors.push(error) })
  const steps = await result.steps
  const asked = [...model.doGenerateCalls, ...model.doStreamCalls]
  return {
    parts: steps.flatMap((step) => step.content),
    messages: steps.at(-1)?.response.messages ?? [],
    seen: JSON.stringify(asked.at(-1)?.prompt),
    calls: asked.length,
  }
}

export async function run7(mode: Mode, { turns, tools, history, signal, approval }: Run): Promise<Ran> {
  const model = new MockLanguageModelV4(scripted(turns))
  const messages = ai7.modelMessageSchema.array().parse([userTurn, ...(history ?? [])])
  const gate = approval && { toolApproval: approval }
  const settings = { model, tools, maxRetries: 0, stopWhen: ai7.isStepCount(5), ...gate }
  const call = { messages, ...(signal && { abortSignal: signal }) }
  const errors: unknown[] = []
  const result =
    mode === 'generateText'
      ? await ai7.generateText({ ...settings, ...call })
      : mode === 'ToolLoopAgent'
        ? await new ai7.ToolLoopAgent(settings).generate(call)
        : ai7.streamText({ ...settings, ...call, onError: ({ error }) => void errors.push(error) })
  const steps = await result.steps
  const asked = [...model.doGenerateCalls, ...model.doStreamCalls]
  return {
    parts: steps.flatMap((step) => step.content),
    messages: steps.at(-1)?.response.messages ?? [],
    seen: JSON.stringify(asked.at(-1)?.prompt),
    calls: asked.length,
  }
}
