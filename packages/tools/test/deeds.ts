/** A tool that does as told and one that pays, for tests of the adapters in the loops of their frameworks. */
import { createJournal, defineTool, type ModelPart, ToolError } from '@aetherkit/tools'
import { z } from 'zod'

export interface TestContext {
  journal: ReturnType<typeof createJournal>
  payments: number
  onStall?: () => void
}

export const testContext = (onStall = () => {}): TestContext => ({
  journal: createJournal(),
  payments: 0,
  onStall,
})

export const act = defineTool({
  name: 'act',
  description: 'Does as told',
  input: z.object({ deed: z.string().describe('What to do') }),
  output: z.object({ deed: z.string(), proof: z.string() }),
  timeoutMs: 20,
  async execute(ctx: TestContext, { deed }: { deed: string }, { onProgress }) {
    if (deed === 'refuse') throw new ToolError({ code: 'NOT_FOUND', message: 'no such agent' })
    if (deed === 'break') throw new Error('hunter2')
    if (deed === 'stall') return new Promise(() => ctx.onStall?.())
    if (deed === 'progress') onProgress?.({ state: 'half' })
    return { deed, proof: 'sealed' }
  },
  toModel: ({ deed }): string | ModelPart[] =>
    deed === 'draw'
      ? [
          { type: 'text', text: 'A picture.' },
          { type: 'file', mediaType: 'image/png', base64: 'AAAA' },
          { type: 'file', mediaType: 'text/csv', base64: 'AAAA', filename: 'a.csv' },
        ]
      : `Did ${deed}.`,
})

const pay = defineTool({
  name: 'pay',
  description: 'Pays',
  input: z.object({ amount: z.string().regex(/^\d+$/).transform(BigInt).describe('Atomic units') }),
  output: z.object({ receipt: z.string() }),
  annotations: { spends: true, destructive: true },
  approval: (_ctx: TestContext, { amount }: { amount: bigint }) => amount > 100n && `Pay ${amount} units?`,
  execute: async (ctx) => ({ receipt: String(++ctx.payments) }),
})

export const definitions = [act, pay] as const
