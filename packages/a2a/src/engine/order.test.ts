import { expect, test } from 'vitest'
import { alice, begun, brief, codeOf, engineOf, gate, now, say, stateOf, taskOf } from '../../test/engine.js'

test('6.2 no. 7: messages to a working task wait, and are executed one after the other in order', async () => {
  const door = gate()
  let running = 0
  const heard: string[] = []
  const engine = engineOf(async ({ text }) => {
    expect(++running).toBe(1)
    if (text === 'first') await door.opened
    heard.push(text)
    running--
    return text === 'last' ? undefined : { state: 'input-required', message: `after ${text}` }
  })
  const { id } = taskOf(await engine.send(say('first', {}, now), alice))
  const waiting = ['a', 'b', 'last', 'late'].map((text) => engine.send(say(text, { taskId: id }), alice))
  const outcomes = Promise.allSettled(waiting)
  door.open()
  const states = (await outcomes).map((one) =>
    one.status === 'fulfilled' ? stateOf(taskOf(one.value)) : one.reason.code,
  )
  expect(heard).toEqual(['first', 'a', 'b', 'last'])
  expect(states).toEqual(['INPUT_REQUIRED', 'INPUT_REQUIRED', 'COMPLETED', 'UNSUPPORTED_OPERATION'])
  expect(engine.errors).toEqual([])
})

test('6.2 no. 7: a message that waits returns at once when asked to, and its stream ends with its own turn', async () => {
  const door = gate()
  const engine = engineOf(async ({ text }) => {
    if (text === 'first') await door.opened
    return text === 'third' ? undefined : { state: 'input-required', message: `after ${text}` }
  })
  const { id } = taskOf(await engine.send(say('first', {}, now), alice))
  const stream = await begun(engine.stream(say('second', { taskId: id }), alice))
  const queued = taskOf(await engine.send(say('third', { taskId: id }, now), alice))
  expect([brief(stream.first), stateOf(queued)]).toEqual(['task WORKING', 'WORKING'])
  door.open()
  expect((await stream.rest).map(brief)).toEqual(['INPUT_REQUIRED', 'WORKING', 'INPUT_REQUIRED'])
  await expect.poll(async () => stateOf(await engine.get({ id }, alice))).toBe('COMPLETED')
})

test('7.6: more messages than may wait are RATE_LIMITED', async () => {
  const door = gate()
  const engine = engineOf(async () => door.opened, { limits: { queuedMessages: 2 } })
  const { id } = taskOf(await engine.send(say('first', {}, now), alice))
  const send = () => codeOf(engine.send(say('more', { taskId: id }, now), alice))
  expect([await send(), await send(), await send()]).toEqual(['no error', 'no error', 'RATE_LIMITED'])
  door.open()
})

test('6.2 no. 7: cancelling refuses what waits', async () => {
  const engine = engineOf(async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  })
  const { id } = taskOf(await engine.send(say('first', {}, now), alice))
  const waiting = codeOf(engine.send(say('more', { taskId: id }), alice))
  await expect.poll(async () => stateOf(await engine.get({ id }, alice))).toBe('WORKING')
  expect(stateOf(await engine.cancel({ id }, alice))).toBe('CANCELED')
  expect(await waiting).toBe('UNSUPPORTED_OPERATION')
})
