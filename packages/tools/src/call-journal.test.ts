import { describe, expect, it } from 'vitest'
import { toolThat } from '../test/transfer-tool.js'
import { createJournal } from './call-journal.js'
import { runTool } from './run-tool.js'
import { ToolError } from './tool-error.js'

describe('idempotency by call id', () => {
  function counting(spends: boolean, fail?: () => ToolError) {
    const count = { payments: 0 }
    const tool = toolThat(
      async () => {
        count.payments++
        if (fail !== undefined) throw fail()
        return { amount: String(count.payments) }
      },
      { spends },
    )
    return { count, tool, ctx: { journal: createJournal() } }
  }

  it('answers a replayed call without executing it again', async () => {
    const { tool, ctx, count } = counting(false)
    const first = await runTool(tool, ctx, { amount: 1n }, { callId: 'c1' })
    expect(await runTool(tool, ctx, { amount: 1n }, { callId: 'c1' })).toEqual(first)
    expect(count.payments).toBe(1)
  })

  it('executes two calls at once under one id only once', async () => {
    const { tool, ctx, count } = counting(true)
    const run = () => runTool(tool, ctx, { amount: 1n }, { callId: 'c1' })
    const [first, second] = await Promise.all([run(), run()])
    expect(second).toEqual(first)
    expect(count.payments).toBe(1)
  })

  it('refuses a spending call under a used id with other arguments, by REJECTED', async () => {
    const { tool, ctx, count } = counting(true)
    await runTool(tool, ctx, { amount: 1n }, { callId: 'c1' })
    const outcome = await runTool(tool, ctx, { amount: 2n }, { callId: 'c1' })
    expect(outcome).toMatchObject({ error: { code: 'REJECTED', retryable: false } })
    expect(count.payments).toBe(1)
  })

  it('executes a call that does not spend again under a used id with other arguments', async () => {
    const { tool, ctx, count } = counting(false)
    await runTool(tool, ctx, { amount: 1n }, { callId: 'c1' })
    expect((await runTool(tool, ctx, { amount: 2n }, { callId: 'c1' })).ok).toBe(true)
    expect(count.payments).toBe(2)
  })

  it('forgets a failure, unless the tool spends and may have paid', async () => {
    const late = () => new ToolError({ code: 'TIMEOUT', message: 'late', retryable: true })
    const unpaid = () => new ToolError({ code: 'PAYMENT_FAILED', message: 'no funds', paid: false })
    for (const [spends, fail, runs] of [
      [false, late, 2],
      [true, late, 1],
      [true, unpaid, 2],
    ] as const) {
      const { tool, ctx, count } = counting(spends, fail)
      await runTool(tool, ctx, { amount: 1n }, { callId: 'c1' })
      await runTool(tool, ctx, { amount: 1n }, { callId: 'c1' })
      expect(count.payments).toBe(runs)
    }
  })

  it('takes an unclear payment up again when it resumes, once at a time and never with other arguments', async () => {
    const late = () => new ToolError({ code: 'PAYMENT_UNKNOWN', message: 'late', paid: 'unknown' })
    const { tool, count } = counting(true, late)
    const ctx = { journal: createJournal(10, true) }
    const run = (amount: bigint) => runTool(tool, ctx, { amount }, { callId: 'c1' })
    await run(1n)
    expect(await run(2n)).toMatchObject({ error: { code: 'REJECTED' } })
    await Promise.all([run(1n), run(1n)])
    expect(count.payments).toBe(2)
  })

  it('keeps as many calls as its capacity', async () => {
    const journal = createJournal(1)
    const once = (callId: string, result: number) =>
      journal.once({ name: 'n', callId, args: '', spends: false }, async () => result)
    expect([await once('a', 1), await once('b', 2), await once('a', 3)]).toEqual([1, 2, 3])
  })
})
