/** Other agents as tools of an AI SDK loop (spec a2a 8.1), in both majors: the adapter maps them as any other tool. */
import * as ai6 from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import * as ai7 from 'ai7'
import { MockLanguageModelV4 } from 'ai7/test'
import { describe, expect, it } from 'vitest'
import { openGuide } from '../../../packages/tools/test/guide.js'
import { toAiSdkTools, toolApproval } from './index.js'

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

async function setUp() {
  const guide = await openGuide()
  const progress: unknown[] = []
  const tools = toAiSdkTools(guide.definitions, guide.ctx, {
    onProgress: (value) => void progress.push(value),
  })
  return { ...guide, tools, progress }
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

/** Calls the agent with one message after the other, and then says that it is done. */
function scripted(messages: readonly string[]) {
  let turn = 0
  return async () => {
    const message = messages[turn++]
    const unified = message === undefined ? ('stop' as const) : ('tool-calls' as const)
    const content =
      message === undefined
        ? { type: 'text' as const, text: 'done' }
        : {
            type: 'tool-call' as const,
            toolCallId: `call-${turn}`,
            toolName: 'guide__places',
            input: JSON.stringify({ message }),
          }
    return { content: [content], finishReason: { unified, raw: undefined }, usage, warnings: [] }
  }
}

interface Run {
  readonly tools: Awaited<ReturnType<typeof setUp>>['tools']
  readonly says: readonly string[]
  readonly history?: readonly unknown[]
  readonly abortSignal?: AbortSignal
}
const go = { role: 'user' as const, content: 'go' }

async function run6({ tools, says, history = [], abortSignal }: Run) {
  const model = new MockLanguageModelV3({ doGenerate: scripted(says) })
  const messages = ai6.modelMessageSchema.array().parse([go, ...history])
  const call = { model, tools, messages, maxRetries: 0, stopWhen: ai6.stepCountIs(9) }
  const { steps } = await ai6.generateText({ ...call, ...(abortSignal && { abortSignal }) })
  const parts = steps.flatMap(({ content }) => content)
  return {
    parts,
    messages: steps.at(-1)?.response.messages ?? [],
    seen: JSON.stringify(model.doGenerateCalls.at(-1)?.prompt),
  }
}

async function run7({ tools, says, history = [], abortSignal }: Run) {
  const model = new MockLanguageModelV4({ doGenerate: scripted(says) })
  const messages = ai7.modelMessageSchema.array().parse([go, ...history])
  const call = { model, tools, messages, maxRetries: 0, stopWhen: ai7.isStepCount(9) }
  const { steps } = await ai7.generateText({ ...call, ...(abortSignal && { abortSignal }) })
  const parts = steps.flatMap(({ content }) => content)
  return {
    parts,
    messages: steps.at(-1)?.response.messages ?? [],
    seen: JSON.stringify(model.doGenerateCalls.at(-1)?.prompt),
  }
}

describe.each([
  ['ai 6', run6],
  ['ai 7', run7],
])('%s', (_major, run) => {
  it('gives the model labelled text, the application the artifacts, and progress on the way', async () => {
    const { tools, progress } = await setUp()
    const { parts, seen } = await run({ tools, says: ['Oslo'] })
    expect(seen).toContain('about Oslo')
    expect(seen).not.toContain('context_id')
    const result = parts.find(({ type }) => type === 'tool-result')
    expect(result).toMatchObject({ output: { state: 'completed', artifacts: [{ data: [{ stars: 5 }] }] } })
    expect(progress).toContainEqual({ agent: 'guide', state: 'working', untrusted_text: 'looking' })
  })

  it('goes on with the same task when the model calls again with the answer', async () => {
    const { tools, executions } = await setUp()
    const { seen } = await run({ tools, says: ['ask', 'Oslo'] })
    expect(seen).toContain('Which city?')
    expect(seen).toContain('about Oslo')
    expect(executions.map(({ task }) => task.id)).toEqual([executions[0]?.task.id, executions[0]?.task.id])
  })

  it('asks a human when the agent leaves a decision to one, and goes on after the approval', async () => {
    const { tools, executions } = await setUp()
    const paused = await run({ tools, says: ['allow', 'approve'] })
    const request = paused.parts.find(({ type }) => type === 'tool-approval-request')
    if (request === undefined || !('approvalId' in request)) throw new Error('nobody was asked')
    expect(executions).toHaveLength(1)
    const response = { type: 'tool-approval-response', approvalId: request.approvalId, approved: true }
    const history = [...paused.messages, { role: 'tool', content: [response] }]
    const { seen } = await run({ tools, says: [], history })
    expect(seen).toContain('about approve')
    expect(executions).toHaveLength(2)
  })

  it('cancels the task at the agent when the run is aborted', async () => {
    const { tools, executions } = await setUp()
    const stop = new AbortController()
    const settled = expect(run({ tools, says: ['wait'], abortSignal: stop.signal })).rejects.toThrow()
    await expect.poll(() => executions.length).toBe(1)
    stop.abort()
    await settled
    await expect.poll(() => executions[0]?.signal.aborted).toBe(true)
  })
})

it('gives the reason of a decision to toolApproval of ai 7', async () => {
  const { tools, definitions, ctx } = await setUp()
  await run7({ tools, says: ['allow'] })
  const gates = toolApproval(definitions, ctx)
  expect(gates.guide__places?.({ message: 'approve' })).toMatchObject({
    type: 'user-approval',
    reason: expect.stringContaining('guide leaves a decision to you'),
  })
})
