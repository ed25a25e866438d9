/** What both majors of `ai` infer from the tools; checked by `tsc`, nothing here runs. */
import { defineTool } from '@aetherkit/tools'
import type * as ai6 from 'ai'
import type * as ai7 from 'ai7'
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { toAiSdkTools, toolApproval } from './index.js'

const pay = defineTool({
  name: 'pay',
  description: 'Pays',
  input: z.object({ amount: z.string().transform(BigInt).describe('Atomic units') }),
  output: z.object({ receipt: z.string() }),
  approval: () => 'Pay?',
  execute: async () => ({ receipt: '1' }),
})
const ctx = {}
const tools = toAiSdkTools([pay], ctx)
const prefixed = toAiSdkTools([pay], ctx, { prefix: 'bank_', fileParts: 'v7' })

describe('the types of a tool set', () => {
  it('is a ToolSet of ai 6 and of ai 7', () => {
    expectTypeOf(tools).toExtend<ai6.ToolSet>()
    expectTypeOf(tools).toExtend<ai7.ToolSet>()
  })

  it('is a ToolSet of ai 7 alone with the file parts of 7', () => {
    expectTypeOf(prefixed).toExtend<ai7.ToolSet>()
    expectTypeOf(prefixed).not.toExtend<ai6.ToolSet>()
  })

  it('has the names, with the prefix', () => {
    expectTypeOf<keyof typeof tools>().toEqualTypeOf<'pay'>()
    expectTypeOf<keyof typeof prefixed>().toEqualTypeOf<'bank_pay'>()
  })

  it('lets both majors infer the raw input and the output', () => {
    expectTypeOf<ai6.InferUITools<typeof tools>['pay']>().toEqualTypeOf<{
      input: { amount: string }
      output: { receipt: string }
    }>()
    expectTypeOf<ai7.InferUITools<typeof tools>['pay']>().toEqualTypeOf<{
      input: { amount: string }
      output: { receipt: string }
    }>()
  })

  it('types a tool loop agent of either major', () => {
    type Settings6 = ai6.ToolLoopAgentSettings<never, typeof tools>
    type Settings7 = ai7.ToolLoopAgentSettings<never, typeof tools>
    expectTypeOf(tools).toExtend<NonNullable<Settings6['tools']>>()
    expectTypeOf(tools).toExtend<NonNullable<Settings7['tools']>>()
  })

  it('gives ai 7 its toolApproval', () => {
    const approval = toolApproval([pay], ctx)
    expectTypeOf(approval).toExtend<ai7.ToolApprovalConfiguration<typeof tools, unknown>>()
  })
})
