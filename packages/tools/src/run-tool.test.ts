import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Act, done, ignore, toolThat } from '../test/transfer-tool.js'
import type { JsonRecord } from './json.js'
import { callTool, modelParts, runTool } from './run-tool.js'
import { defineTools, toolName } from './tool-definition.js'
import { errorText } from './tool-error.js'

describe('runTool', () => {
  it('returns the checked output', async () => {
    expect(await runTool(toolThat(done), {}, { amount: 1n })).toEqual({ ok: true, output: { amount: '1' } })
  })

  it('rejects with the reason of an already aborted signal and does not execute', async () => {
    let executed = 0
    const tool = toolThat(async () => ({ amount: String(++executed) }))
    const reason = new Error('gone')
    await expect(runTool(tool, {}, { amount: 1n }, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    )
    expect(executed).toBe(0)
  })

  it('rejects with the reason of an abort during execution, also when the tool is deaf to its signal', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    const running = runTool(
      toolThat(() => new Promise(ignore)),
      {},
      { amount: 1n },
      { signal: stop.signal },
    )
    stop.abort(reason)
    await expect(running).rejects.toBe(reason)
  })

  it('hands the abort on to the tool', async () => {
    const stop = new AbortController()
    const seen = new Promise<AbortSignal | undefined>((resolve) => {
      const tool = toolThat((signal) => {
        resolve(signal)
        return new Promise(ignore)
      })
      runTool(tool, {}, { amount: 1n }, { signal: stop.signal }).catch(ignore)
    })
    const signal = await seen
    expect(signal?.aborted).toBe(false)
    stop.abort()
    expect(signal?.aborted).toBe(true)
  })

  it('answers TIMEOUT, retryable, when its own deadline passes', async () => {
    const tool = toolThat(() => new Promise(ignore), { timeoutMs: 5 })
    const outcome = await runTool(tool, {}, { amount: 1n })
    expect(outcome).toMatchObject({ ok: false, error: { code: 'TIMEOUT', retryable: true } })
  })

  it('answers PAYMENT_UNKNOWN, not retryable, when the deadline of a spending tool passes', async () => {
    const tool = toolThat(() => new Promise(ignore), { timeoutMs: 5, spends: true })
    const outcome = await runTool(tool, {}, { amount: 1n })
    expect(outcome).toMatchObject({ error: { code: 'PAYMENT_UNKNOWN', retryable: false, paid: 'unknown' } })
  })

  it('passes a ToolError on, also one of another copy of this package', async () => {
    const foreign = {
      brand: 'aetherkit.tool-error',
      code: 'NOT_FOUND',
      message: 'no such agent',
      retryable: false,
    }
    const outcome = await runTool(
      toolThat(() => Promise.reject(foreign)),
      {},
      { amount: 1n },
    )
    expect(outcome).toEqual({
      ok: false,
      error: { code: 'NOT_FOUND', message: 'no such agent', retryable: false },
    })
  })

  it('answers INTERNAL without its text for anything else, and reports it', async () => {
    const bug = new Error('secret in /srv/app.js')
    const bugs: unknown[] = []
    const tool = toolThat(() => Promise.reject(bug))
    const outcome = await runTool(tool, {}, { amount: 1n }, {}, (error) => bugs.push(error))
    expect(outcome).toEqual({
      ok: false,
      error: { code: 'INTERNAL', message: 'transfer failed', retryable: false },
    })
    expect(bugs).toEqual([bug])
  })

  it('answers INTERNAL for an output that breaks its schema, and for a failing reporter', async () => {
    const broken: Act = async () => JSON.parse('{"amount":1}')
    const reporter = () => {
      throw new Error('reporter down')
    }
    const outcome = await runTool(toolThat(broken), {}, { amount: 1n }, {}, reporter)
    expect(outcome).toMatchObject({ error: { code: 'INTERNAL' } })
  })

  it.each([
    ['a bigint', { amount: 1n }],
    ['bytes', { amount: new Uint8Array(1) }],
    ['a date', { amount: new Date(0) }],
    ['no number', { amount: Number.NaN }],
    ['a list', []],
  ])('answers INTERNAL for an output that is no JSON object: %s', async (_what, output) => {
    const tool = { ...toolThat(done), output: z.unknown(), execute: async () => output as JsonRecord }
    const outcome = await runTool(tool, {}, { amount: 1n }, {}, ignore)
    expect(outcome).toMatchObject({ error: { code: 'INTERNAL' } })
  })

  it('answers INTERNAL when toModel fails, so that no adapter throws', async () => {
    const tool = {
      ...toolThat(done),
      toModel: () => {
        throw new Error('secret')
      },
    }
    const outcome = await runTool(tool, {}, { amount: 1n }, {}, ignore)
    expect(outcome).toMatchObject({ error: { code: 'INTERNAL', message: 'transfer failed' } })
  })
})

describe('callTool', () => {
  it('decodes raw arguments and answers REJECTED for those that do not parse', async () => {
    const seen: unknown[] = []
    const tool = {
      ...toolThat(done),
      execute: async (_ctx: object, input: unknown) => ({ amount: String(seen.push(input)) }),
    }
    expect(await callTool(tool, {}, { amount: '7' })).toEqual({ ok: true, output: { amount: '1' } })
    expect(seen).toEqual([{ amount: 7n }])
    const outcome = await callTool(tool, {}, { amount: 'all' })
    expect(outcome).toMatchObject({ ok: false, error: { code: 'REJECTED', retryable: true } })
  })
})

describe('what a model reads', () => {
  it('shows an error as one line of JSON with its code', () => {
    const text = errorText({ code: 'PEER_TIMEOUT', message: 'agent did not answer in 10 s', retryable: true })
    expect(text).toBe('{"error":"PEER_TIMEOUT","message":"agent did not answer in 10 s","retryable":true}')
  })

  it('shows an output as JSON, as the text of toModel or as its parts', () => {
    const tool = toolThat(done)
    const file = { type: 'file', mediaType: 'image/png', base64: 'AA==' } as const
    expect(modelParts(tool, { amount: '1' })).toEqual([{ type: 'text', text: '{"amount":"1"}' }])
    expect(modelParts({ ...tool, toModel: () => 'Moved.' }, { amount: '1' })).toEqual([
      { type: 'text', text: 'Moved.' },
    ])
    expect(modelParts({ ...tool, toModel: () => [file] }, { amount: '1' })).toEqual([file])
  })
})

describe('names', () => {
  it('refuses a name twice, a prefix that breaks the rule and a name over 64 characters by TypeError', () => {
    const tool = toolThat(done)
    expect(() => defineTools(tool, tool)).toThrow(TypeError)
    expect(() => toolName(tool, 'my ')).toThrow(TypeError)
    expect(() => toolName(tool, 'p'.repeat(60))).toThrow(TypeError)
    expect(toolName(tool, 'my_')).toBe('my_transfer')
  })
})
