/** A tool over amounts that does what a test says; above 100 it asks. */
import { z } from 'zod'
import { defineTool, type ToolContext } from '../src/tool-definition.js'

export type Act = (signal: AbortSignal | undefined) => Promise<{ amount: string }>

export function toolThat(act: Act, more: { spends?: boolean; readOnly?: boolean; timeoutMs?: number } = {}) {
  const { timeoutMs, ...annotations } = more
  return defineTool({
    name: 'transfer',
    description: 'Moves an amount',
    input: z.object({
      amount: z.string().regex(/^\d+$/).transform(BigInt).describe('Atomic units'),
    }),
    output: z.object({ amount: z.string() }),
    annotations,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    approval: (_ctx: ToolContext, { amount }) => amount > 100n && `Move ${amount}?`,
    execute: (_ctx, _input, { signal }) => act(signal),
  })
}

export const done = async () => ({ amount: '1' })
export const ignore = () => {}
