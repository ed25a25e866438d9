/** Tools as the skills of a real agent (spec a2a 8.2). */
import { connectAgent, createAgent, type SendMessageResponse, type Task } from '@aetherkit/a2a'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { createJournal } from './call-journal.js'
import { defineTool, type ToolContext } from './tool-definition.js'
import { ToolError } from './tool-error.js'
import { skillsOf, toolExecutor } from './tool-executor.js'

interface Till extends ToolContext {
  readonly paid: bigint[]
}

const weather = defineTool({
  name: 'weather',
  title: 'Weather',
  description: 'Tells the weather',
  input: z.object({ city: z.string().describe('Where') }),
  output: z.object({ city: z.string(), degrees: z.number() }),
  annotations: { readOnly: true },
  async execute(_ctx: Till, { city }: { city: string }, { onProgress, signal }) {
    if (city === 'Nowhere') throw new ToolError({ code: 'NOT_FOUND', message: 'no such city' })
    if (city === 'Break') throw new Error('hunter2')
    if (city === 'Slow')
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    onProgress?.({ message: 'Looking' })
    return { city, degrees: 30 }
  },
  toModel: ({ city, degrees }) => `${degrees} degrees in ${city}`,
})

const pay = defineTool({
  name: 'pay',
  description: 'Pays',
  input: z.object({ amount: z.string().regex(/^\d+$/).transform(BigInt).describe('Atomic units') }),
  output: z.object({ receipt: z.string() }),
  annotations: { spends: true, destructive: true },
  approval: (_ctx: Till, { amount }: { amount: bigint }) => amount > 100n && `Pay ${amount} units?`,
  async execute(ctx: Till, { amount }: { amount: bigint }) {
    ctx.paid.push(amount)
    return { receipt: `for ${amount}` }
  },
})

const key = crypto.getRandomValues(new Uint8Array(32))

async function serve(definitions: readonly (typeof weather | typeof pay)[] = [weather, pay]) {
  const ctx: Till = { paid: [], journal: createJournal() }
  const bugs: unknown[] = []
  const agent = createAgent({
    card: { name: 'Till', description: 'Pays and tells the weather', skills: skillsOf(definitions) },
    executor: toolExecutor(definitions, ctx, { onBug: (error) => bugs.push(error) }),
    key,
  })
  onTestFinished(() => agent.close())
  const { url } = await agent.listen()
  const remote = await connectAgent(url, { allowPrivateNetwork: true, key })
  onTestFinished(() => remote.close())
  return { ctx, bugs, remote, agent }
}

const taskOf = (result: SendMessageResponse): Task => {
  if ('task' in result) return result.task
  throw new Error('expected a task')
}
const said = ({ status }: Task): string => status.message?.parts.map(({ text = '' }) => text).join('') ?? ''
const partsOf = ({ artifacts = [] }: Task) => artifacts.flatMap(({ parts }) => parts)
const call = (action: string, payload: Record<string, string>) => ({ data: { action, payload } })

test('8.2: each tool is a skill of the card', async () => {
  const { agent } = await serve()
  expect(agent.card().skills).toMatchObject([
    { id: 'weather', name: 'Weather', description: 'Tells the weather', tags: ['tool', 'read-only'] },
    { id: 'pay', name: 'pay', tags: ['tool', 'destructive', 'spends'] },
  ])
  expect(skillsOf([pay], { prefix: 'bank_' })).toMatchObject([{ id: 'bank_pay' }])
})

test('8.2: a skill is called by action, by metadata, and without a name where there is one', async () => {
  const { remote } = await serve()
  const parts = [{ text: '30 degrees in Rome' }, { data: { city: 'Rome', degrees: 30 } }]
  const byAction = taskOf(await remote.send(call('weather', { city: 'Rome' })))
  expect(byAction.status.state).toBe('TASK_STATE_COMPLETED')
  expect(partsOf(byAction)).toEqual(parts)
  const metadata = { skill: 'weather' }
  expect(partsOf(taskOf(await remote.send({ data: { city: 'Rome' }, metadata })))).toEqual(parts)
  const alone = await serve([weather])
  expect(partsOf(taskOf(await alone.remote.send('{"city":"Rome"}')))).toEqual(parts)
})

test('8.2: agent.request answers with the output as its data', async () => {
  const { remote } = await serve()
  expect(await remote.request('weather', { city: 'Rome' })).toEqual({ city: 'Rome', degrees: 30 })
})

test('8.2: an unknown skill and invalid input are REJECTED, and nothing runs', async () => {
  const { remote, ctx } = await serve()
  for (const message of [call('steal', {}), call('pay', { amount: 'all' }), { text: 'hello' }]) {
    const task = taskOf(await remote.send(message))
    expect(task.status.state).toBe('TASK_STATE_REJECTED')
  }
  expect(ctx.paid).toEqual([])
})

test('8.2: an expected error is FAILED with its code, a bug with INTERNAL', async () => {
  const { remote, bugs } = await serve()
  const known = taskOf(await remote.send(call('weather', { city: 'Nowhere' })))
  expect(known.status.state).toBe('TASK_STATE_FAILED')
  expect(JSON.parse(said(known))).toMatchObject({ error: 'NOT_FOUND' })
  const bug = taskOf(await remote.send(call('weather', { city: 'Break' })))
  expect(JSON.parse(said(bug))).toMatchObject({ error: 'INTERNAL' })
  expect(JSON.stringify(bug)).not.toContain('hunter2')
  expect(String(bugs)).toContain('hunter2')
})

test('8.2: a tool with a question is INPUT_REQUIRED; yes runs it once, anything else asks again, no is REJECTED', async () => {
  const { remote, ctx } = await serve()
  const open = taskOf(await remote.send(call('pay', { amount: '500' })))
  expect(open.status.state).toBe('TASK_STATE_INPUT_REQUIRED')
  expect(said(open)).toContain('Pay 500 units?')
  const forged = { data: { approvals: [{ id: 'approve-other', approved: true }] } }
  for (const answer of ['perhaps', forged]) {
    const again = taskOf(await remote.send(answer, { taskId: open.id }))
    expect(again.status.state).toBe('TASK_STATE_INPUT_REQUIRED')
  }
  expect(ctx.paid).toEqual([])
  const done = taskOf(await remote.send('approve', { taskId: open.id }))
  expect(done.status.state).toBe('TASK_STATE_COMPLETED')
  expect(partsOf(done)).toEqual([{ data: { receipt: 'for 500' } }])
  expect(ctx.paid).toEqual([500n])
  const other = taskOf(await remote.send(call('pay', { amount: '600' })))
  const denied = taskOf(await remote.send('no', { taskId: other.id }))
  expect(denied.status.state).toBe('TASK_STATE_REJECTED')
  expect(JSON.parse(said(denied))).toMatchObject({ error: 'NEEDS_APPROVAL' })
  expect(ctx.paid).toEqual([500n])
})

test('8.2: cancel aborts the tool, and progress is a status', async () => {
  const { remote } = await serve()
  const begun = taskOf(
    await remote.send(call('weather', { city: 'Slow' }), { configuration: { returnImmediately: true } }),
  )
  expect((await remote.cancel(begun.id)).status.state).toBe('TASK_STATE_CANCELED')
  const words: string[] = []
  for await (const event of remote.stream(call('weather', { city: 'Rome' })))
    if ('statusUpdate' in event) words.push(event.statusUpdate.status.message?.parts[0]?.text ?? '')
  expect(words).toContain('Looking')
})
