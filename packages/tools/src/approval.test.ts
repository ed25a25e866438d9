import { describe, expect, it } from 'vitest'
import { done, ignore, toolThat } from '../test/transfer-tool.js'
import { approvalText } from './approval.js'
import { createJournal } from './call-journal.js'
import { runTool } from './run-tool.js'
import type { ToolContext } from './tool-definition.js'

describe('approval', () => {
  it('asks ctx.approve with the text of the definition and answers NEEDS_APPROVAL when it is denied', async () => {
    const asked: unknown[] = []
    const ctx = {
      approve: (request: unknown) => {
        asked.push(request)
        return false
      },
    }
    const tool = toolThat(done, { spends: true })
    const outcome = await runTool(tool, ctx, { amount: 500n }, { callId: 'c1' })
    expect(outcome).toMatchObject({ error: { code: 'NEEDS_APPROVAL', retryable: false, paid: false } })
    expect(outcome.ok ? '' : outcome.error.message).toContain('do not retry')
    expect(asked).toEqual([{ name: 'transfer', text: 'Move 500?', callId: 'c1' }])
  })

  it('gives the human all the time they need, and executes nothing when the caller aborts meanwhile', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    const ctx: ToolContext = {}
    let answer = (_yes: boolean) => {}
    let executed = 0
    const asked = new Promise<void>((resolve) => {
      ctx.approve = () =>
        new Promise((yes) => {
          answer = yes
          resolve()
        })
    })
    const tool = toolThat(async () => ({ amount: String(++executed) }), { timeoutMs: 1 })
    const running = runTool(tool, ctx, { amount: 500n }, { signal: stop.signal })
    await asked
    stop.abort(reason)
    await expect(running).rejects.toBe(reason)
    answer(true)
    await new Promise((resolve) => setImmediate(resolve))
    expect(executed).toBe(0)
  })

  it('asks once for a replayed call, and again after a failure of the asking', async () => {
    let asked = 0
    const approve = async () => {
      if (++asked === 1) throw new Error('chat is down')
      return true
    }
    const ctx = { approve, journal: createJournal() }
    const tool = toolThat(done, { spends: true })
    const run = () => runTool(tool, ctx, { amount: 500n }, { callId: 'c1' }, ignore)
    expect(await run()).toMatchObject({
      error: { code: 'INTERNAL', message: 'transfer failed', paid: false },
    })
    expect(await run()).toMatchObject({ ok: true })
    expect(await run()).toMatchObject({ ok: true })
    expect(asked).toBe(2)
  })

  it('does not ask below the threshold of the definition', async () => {
    const ctx = { approve: () => false }
    expect((await runTool(toolThat(done), ctx, { amount: 100n })).ok).toBe(true)
  })

  it('asks about raw arguments, never about arguments that do not parse', () => {
    const tool = toolThat(done)
    expect(approvalText(tool, {}, { amount: '500' })).toBe('Move 500?')
    expect(approvalText(tool, {}, { amount: '1' })).toBe(false)
    expect(approvalText(tool, {}, { amount: 'all' })).toBe(false)
  })

  it('still asks when the definition fails to make its question', () => {
    const approval = () => {
      throw new Error('secret')
    }
    const text = approvalText({ ...toolThat(done), approval }, {}, { amount: '1' })
    expect(text).toMatch(/^Allow transfer\?/)
  })
})
