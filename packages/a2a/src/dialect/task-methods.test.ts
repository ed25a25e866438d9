import { expect, test } from 'vitest'
import { openParrot } from '../../test/http.js'

const MINE = { 'x-agent-id': 'agent-1' }

async function open(options: { taskMethods?: boolean } = { taskMethods: true }) {
  const parrot = await openParrot({ anonymous: 'isolated', ...options })
  const call = async (method: string, params: object, headers: Record<string, string> = MINE) =>
    (await parrot.rpc(method, params, headers)).json
  return { parrot, call }
}

test('3.1: sendTask, getTask and cancelTask, with times in ms', async () => {
  const { parrot, call } = await open()
  const before = Date.now()
  const sent = await call('sendTask', { input: 'hello' })
  expect(sent).toMatchObject({ jsonrpc: '2.0', id: 1, result: { input: 'hello', id: expect.any(String) } })
  const { id } = sent.result
  await expect
    .poll(async () => (await call('getTask', { taskId: id })).result)
    .toMatchObject({ id, status: 'completed', input: 'hello', output: 'hello' })
  const { createdAt, updatedAt } = (await call('getTask', { taskId: id })).result
  expect(createdAt).toBeGreaterThanOrEqual(before)
  expect(updatedAt).toBeGreaterThanOrEqual(createdAt)
  const waiting = (await call('sendTask', { input: 'wait' })).result
  expect((await call('cancelTask', { taskId: waiting.id })).result).toMatchObject({
    status: 'failed',
    error: 'canceled',
  })
  await parrot.agent.close()
})

test('3.1: another agent id sees nothing, and a failure tells nothing', async () => {
  const { parrot, call } = await open()
  const { id } = (await call('sendTask', { input: 'boom' })).result
  await expect.poll(async () => (await call('getTask', { taskId: id })).result.status).toBe('failed')
  expect((await call('getTask', { taskId: id })).result.error).toBe('Internal error')
  const foreign = await call('getTask', { taskId: id }, { 'x-agent-id': 'agent-2' })
  expect(foreign.error.code).toBe(-32001)
  await parrot.agent.close()
})

test.each([
  ['sendTask', {}],
  ['getTask', {}],
  ['cancelTask', { taskId: 7 }],
])('a missing parameter of %s is -32602', async (method, params) => {
  const { parrot, call } = await open()
  expect((await call(method, params)).error.code).toBe(-32602)
  await parrot.agent.close()
})

test('3.1: off unless it is asked for', async () => {
  const { parrot, call } = await open({})
  expect((await call('sendTask', { input: 'x' }, { 'a2a-version': '1.0' })).error.code).toBe(-32601)
  await parrot.agent.close()
})
