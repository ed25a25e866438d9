/** The suite itself: it passes a good definition and finds each fault. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type ToolCase, type ToolSurface, toolChecks } from './testing.js'
import { type AnyTool, defineTool, type ToolContext } from './tool-definition.js'

function spendingCase(): ToolCase<ToolContext> {
  let payments = 0
  const definition = defineTool({
    name: 'pay',
    description: 'Pays',
    input: z.object({ amount: z.string().transform(BigInt).describe('Atomic units') }),
    output: z.object({ receipt: z.string() }),
    annotations: { spends: true },
    approval: (_ctx, { amount }) => `Pay ${amount}?`,
    execute: async () => ({ receipt: String(++payments) }),
  })
  const spending = { otherInput: { amount: '2' }, payments: () => payments }
  return { definition, input: { amount: '1' }, context: () => ({}), spending }
}

/** Whether each check passes, by the order of the suite. */
async function verdicts(
  faulty: (good: ToolCase<ToolContext>) => ToolCase<ToolContext>,
  surfaces?: ToolSurface[],
) {
  const checks = toolChecks([faulty(spendingCase())], surfaces)
  const passed: boolean[] = []
  for (const { run } of checks) {
    passed.push(
      await run().then(
        () => true,
        () => false,
      ),
    )
  }
  return passed
}

const change = (changes: Partial<AnyTool>) => (good: ToolCase<ToolContext>) => ({
  ...good,
  definition: { ...good.definition, ...changes },
})

describe('toolChecks', () => {
  it('passes a good definition', async () => {
    expect(await verdicts((good) => good)).toEqual([true, true, true, true, true, true])
  })

  it('names each check after its tool', () => {
    const [first] = toolChecks([spendingCase()])
    expect(first?.name).toBe('pay has a lawful name and describes itself and every field')
  })

  it('finds a bad name and a field without a description', async () => {
    expect((await verdicts(change({ name: 'Pay-Now' })))[0]).toBe(false)
    const nested = z.object({ to: z.array(z.object({ key: z.string() })).describe('Payees') })
    expect((await verdicts(change({ input: nested })))[0]).toBe(false)
  })

  it('finds schemas that do not convert', async () => {
    expect((await verdicts(change({ input: z.object({ at: z.date().describe('When') }) })))[1]).toBe(false)
    const union = z.discriminatedUnion('k', [
      z.object({ k: z.literal('a') }),
      z.object({ k: z.literal('b') }),
    ])
    expect((await verdicts(change({ input: union })))[1]).toBe(false)
    const surface: ToolSurface = {
      name: 'strict',
      convert: () => {
        throw new Error('no')
      },
      call: async () => 'nothing',
    }
    expect((await verdicts((good) => good, [surface]))[1]).toBe(false)
  })

  it('finds an output that is no JSON and a toModel that is not pure', async () => {
    const undefinedInside = async () => ({ receipt: '1', at: undefined })
    const output = z.object({ receipt: z.string(), at: z.undefined() })
    expect((await verdicts(change({ output, execute: undefinedInside })))[2]).toBe(false)
    let shown = 0
    expect((await verdicts(change({ toModel: () => String(shown++) })))[2]).toBe(false)
  })

  it('finds a surface that shows an exception, also in the stack of an error', async () => {
    const leak: ToolSurface = {
      name: 'leaky',
      call: async (definition, ctx, input, options) => {
        options.onBug('reported')
        return definition
          .execute(ctx, definition.input.parse(input), {})
          .catch((error: unknown) => ({ error }))
      },
    }
    expect((await verdicts((good) => good, [leak]))[4]).toBe(false)
  })

  it('finds a spending tool without approval and one that pays twice', async () => {
    const silent = (good: ToolCase<ToolContext>) => {
      const { approval: _approval, ...definition } = good.definition
      return { ...good, definition }
    }
    expect((await verdicts(silent))[5]).toBe(false)
    const forgetful = { once: <T>(_call: object, execute: () => Promise<T>) => execute() }
    const twice = (good: ToolCase<ToolContext>) => ({ ...good, context: () => ({ journal: forgetful }) })
    expect((await verdicts(twice))[5]).toBe(false)
  })
})
