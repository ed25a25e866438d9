import { expect, it } from 'vitest'
import { z } from 'zod'
import { callWithHuman, type HumanAnswer } from './human.js'
import { defineTool, type ToolContext } from './tool-definition.js'

interface Counting extends ToolContext {
  runs: number
}
const erase = defineTool({
  name: 'erase',
  description: 'Erases',
  input: z.object({ what: z.string() }),
  output: z.object({}),
  annotations: { spends: true },
  approval: (_ctx: Counting, { what }) => `Erase ${what}?`,
  execute: async (ctx) => {
    ctx.runs++
    return {}
  },
})

it.each<[HumanAnswer, number, string | undefined]>([
  ['approved', 1, undefined],
  ['denied', 0, 'denied by a human'],
  ['unasked', 0, 'waits for a human'],
  ['nobody', 0, 'cannot ask one'],
])('an answer of %s runs the tool %i times', async (answer, expected, said) => {
  const ctx: Counting = { runs: 0 }
  const outcome = await callWithHuman(erase, ctx, { what: 'disk' }, () => answer)
  expect(ctx.runs).toBe(expected)
  if (said !== undefined) {
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'NEEDS_APPROVAL', message: expect.stringContaining(said), paid: false },
    })
  }
})

it('an answer is for one text alone', async () => {
  const ids: string[] = []
  for (const what of ['a', 'b', 'a']) {
    await callWithHuman(erase, { runs: 0 }, { what }, (_request, id) => {
      ids.push(id)
      return 'denied'
    })
  }
  expect(new Set(ids).size).toBe(2)
})

it('the own gate of an application stays', async () => {
  const ctx = { runs: 0, approve: () => true }
  await callWithHuman(erase, ctx, { what: 'disk' }, () => 'denied')
  expect(ctx.runs).toBe(1)
})
