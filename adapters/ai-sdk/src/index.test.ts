/** The adapter in the AI SDK's own loops, with its own test models, for both majors (spec frameworks 11.1). */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { act, definitions } from '../../../packages/tools/test/deeds.js'
import { type Mode, run6, run7, setUp } from '../test/two-majors.js'
import { toAiSdkTools, toolApproval } from './index.js'

const majors = [
  { major: 'ai 6', run: run6, fileParts: 'v6' as const },
  { major: 'ai 7', run: run7, fileParts: 'v7' as const },
]
const modes: Mode[] = ['generateText', 'streamText', 'ToolLoopAgent']
const matrix = majors.flatMap((each) => modes.map((mode) => ({ ...each, mode })))

/** What the model was shown of the tool's result. */
function shownOutput(seen: string): { type: string; value: unknown } {
  const prompt = z
    .array(z.looseObject({ role: z.string(), content: z.unknown() }))
    .parse(JSON.parse(seen))
    .findLast(({ role }) => role === 'tool')
  const shown = z.object({ type: z.string(), value: z.unknown() })
  return z.array(z.object({ output: shown })).parse(prompt?.content)[0]?.output ?? { type: 'none', value: '' }
}

describe.each(matrix)('$major $mode', ({ run, mode, fileParts }) => {
  const acting = (deed: unknown) => [{ toolName: 'act', args: { deed } }, { text: 'done' }]

  it('gives the model the short text and the application the output', async () => {
    const { tools } = setUp()
    const { parts, seen } = await run(mode, { turns: acting('answer'), tools })
    expect(shownOutput(seen)).toMatchObject({ type: 'text', value: 'Did answer.' })
    const result = parts.find(({ type }) => type === 'tool-result')
    expect(result).toMatchObject({ output: { deed: 'answer', proof: 'sealed' } })
  })

  it('gives an expected error as a tool error with its code', async () => {
    const { parts, seen } = await run(mode, { turns: acting('refuse'), tools: setUp().tools })
    const { type, value } = shownOutput(seen)
    expect(type).toBe('error-text')
    expect(JSON.parse(String(value))).toEqual({
      error: 'NOT_FOUND',
      message: 'no such agent',
      retryable: false,
    })
    expect(parts.map((part) => part.type)).toContain('tool-error')
  })

  it('hides an unknown exception behind INTERNAL and reports it', async () => {
    const { tools, bugs } = setUp()
    const { parts, seen } = await run(mode, { turns: acting('break'), tools })
    expect(shownOutput(seen).value).toContain('"error":"INTERNAL"')
    expect(seen + JSON.stringify(parts)).not.toContain('hunter2')
    expect(String(bugs[0])).toContain('hunter2')
  })

  it('answers TIMEOUT for a tool that is late, and the loop goes on', async () => {
    const { seen, calls } = await run(mode, { turns: acting('stall'), tools: setUp().tools })
    expect(shownOutput(seen).value).toContain('"error":"TIMEOUT"')
    expect(calls).toBe(2)
  })

  it('does not execute invalid input', async () => {
    const { tools, ctx } = setUp()
    const turns = [{ toolName: 'pay', args: { amount: 'all' } }, { text: 'done' }]
    const { seen } = await run(mode, { turns, tools })
    expect(shownOutput(seen).type).toBe('error-text')
    expect(ctx.payments).toBe(0)
  })

  it('stops the run when the caller aborts', async () => {
    const stop = new AbortController()
    const { tools } = setUp(() => stop.abort(new Error('enough')))
    const running = run(mode, { turns: acting('stall'), tools, signal: stop.signal })
    await expect(running).rejects.toThrow(/enough|No output generated/)
  })

  it('gives images and files as content parts of its major', async () => {
    const { ctx } = setUp()
    const tools = toAiSdkTools(definitions, ctx, { fileParts: 'v6' })
    const drawn = fileParts === 'v6' ? tools : { ...tools, ...toAiSdkTools([act], ctx, { fileParts }) }
    const { seen } = await run(mode, { turns: acting('draw'), tools: drawn as typeof tools })
    const { type, value } = shownOutput(seen)
    expect(type).toBe('content')
    const csv = { mediaType: 'text/csv', filename: 'a.csv' }
    expect(value).toMatchObject(
      fileParts === 'v6'
        ? [
            { type: 'text', text: 'A picture.' },
            { type: 'image-data', data: 'AAAA', mediaType: 'image/png' },
            { type: 'file-data', data: 'AAAA', ...csv },
          ]
        : [
            { type: 'text', text: 'A picture.' },
            { type: 'file', data: { type: 'data', data: 'AAAA' }, mediaType: 'image/png' },
            { type: 'file', data: { type: 'data', data: 'AAAA' }, ...csv },
          ],
    )
  })

  it('reports progress to the application', async () => {
    const { tools, progress } = setUp()
    await run(mode, { turns: acting('progress'), tools })
    expect(progress).toEqual([[{ state: 'half' }, { name: 'act', toolCallId: 'call-1' }]])
  })

  const paying = (amount: string) => [{ toolName: 'pay', args: { amount } }, { text: 'done' }]
  const answerTo = (messages: readonly unknown[], approved: boolean) => {
    const { approvalId } = requestIn(messages)
    const response = { type: 'tool-approval-response', approvalId, approved, reason: 'a human said so' }
    return [...messages, { role: 'tool', content: [response] }]
  }

  it('asks before it pays and pays after the approval', async () => {
    const { tools, ctx } = setUp()
    const paused = await run(mode, { turns: paying('500'), tools })
    expect([ctx.payments, paused.calls]).toEqual([0, 1])
    const history = answerTo(paused.messages, true)
    const { seen } = await run(mode, { turns: [{ text: 'done' }], tools, history })
    expect(shownOutput(seen)).toMatchObject({ type: 'text', value: '{"receipt":"1"}' })
    expect(ctx.payments).toBe(1)
  })

  it('pays nothing after a denial', async () => {
    const { tools, ctx } = setUp()
    const paused = await run(mode, { turns: paying('500'), tools })
    const { seen } = await run(mode, {
      turns: [{ text: 'ok' }],
      tools,
      history: answerTo(paused.messages, false),
    })
    expect(seen).toContain('a human said so')
    expect(ctx.payments).toBe(0)
  })

  it('does not ask below the threshold of the definition', async () => {
    const { tools, ctx } = setUp()
    await run(mode, { turns: paying('100'), tools })
    expect(ctx.payments).toBe(1)
  })

  it('pays once when the same approval is sent again', async () => {
    const { tools, ctx } = setUp()
    const paused = await run(mode, { turns: paying('500'), tools })
    const history = answerTo(paused.messages, true)
    await run(mode, { turns: [{ text: 'done' }], tools, history })
    const { seen } = await run(mode, { turns: [{ text: 'done' }], tools, history })
    expect(shownOutput(seen)).toMatchObject({ value: '{"receipt":"1"}' })
    expect(ctx.payments).toBe(1)
  })
})

describe.each(modes)('ai 7 %s with toolApproval', (mode) => {
  it('asks with the text of the definition as the reason, and pays after the approval', async () => {
    const { tools, ctx } = setUp()
    const approval = toolApproval(definitions, ctx)
    const turns = [{ toolName: 'pay', args: { amount: '500' } }, { text: 'done' }]
    const paused = await run7(mode, { turns, tools, approval })
    expect(ctx.payments).toBe(0)
    const { approvalId, text } = requestIn(paused.messages)
    expect(text + JSON.stringify(paused.parts)).toContain('Pay 500 units?')
    const response = { type: 'tool-approval-response', approvalId, approved: true }
    const history = [...paused.messages, { role: 'tool', content: [response] }]
    await run7(mode, { turns: [{ text: 'done' }], tools, approval, history })
    expect(ctx.payments).toBe(1)
  })
})

describe('names', () => {
  it('carries the prefix into tools and approvals', () => {
    const { ctx } = setUp()
    const prefix = 'bank_'
    expect(Object.keys(toAiSdkTools(definitions, ctx, { prefix }))).toEqual(['bank_act', 'bank_pay'])
    expect(Object.keys(toolApproval(definitions, ctx, { prefix }))).toEqual(['bank_pay'])
  })
})

describe('toModelOutput', () => {
  it('takes the bare output too, as majors before 6 pass it', () => {
    const { act } = setUp().tools
    const output = { deed: 'answer', proof: 'sealed' }
    expect(Reflect.apply(act.toModelOutput, undefined, [output])).toEqual({
      type: 'text',
      value: 'Did answer.',
    })
  })
})

function requestIn(messages: readonly unknown[]): { approvalId: string; text: string } {
  const part = z.looseObject({ type: z.string(), approvalId: z.string().optional() })
  const parsed = z.array(z.object({ content: z.array(part) })).parse(messages)
  const request = parsed
    .flatMap(({ content }) => content)
    .find(({ type }) => type === 'tool-approval-request')
  return { approvalId: request?.approvalId ?? 'none', text: JSON.stringify(request) }
}
