import { expect, test } from 'vitest'
import { alice, brief, codeOf, collect, engineOf, now, say, stateOf, taskOf } from '../../test/engine.js'
import type { Admission, Admit } from '../admission.js'
import { A2AError } from '../errors.js'
import type { Message } from '../model.js'
import { memoryTaskStore } from '../store/memory.js'

const required = { 'x402.payment.status': 'payment-required' }
const verified = { 'x402.payment.status': 'payment-verified' }
const paid = { 'x402.payment.status': 'payment-completed', 'x402.payment.receipts': [{ success: true }] }

/** Holds until a message says `pay`. */
function paywall() {
  const ended: string[] = []
  const admit: Admit = async ({ message }): Promise<Admission> => {
    const text = message.parts[0]?.text
    if (text === 'decline') return { kind: 'end', state: 'failed', message: 'Declined', metadata: required }
    if (text !== 'pay') return { kind: 'hold', message: 'Pay first', metadata: required }
    return {
      kind: 'run',
      metadata: verified,
      complete: async (how) => {
        ended.push(how)
        return paid
      },
    }
  }
  return { ended, admit }
}

test('4: a held message is not executed; the one that lifts the hold makes it run, once', async () => {
  const { ended, admit } = paywall()
  const ran: { message: Message; resumed: boolean; last: string | undefined }[] = []
  const engine = engineOf(
    async ({ message, resumed, task, text }) => {
      ran.push({ message, resumed, last: task.history?.at(-1)?.parts[0]?.text })
      expect(text).toBe('work')
    },
    { admit },
  )
  const held = taskOf(await engine.send(say('work'), alice))
  expect(held.status).toMatchObject({
    state: 'TASK_STATE_INPUT_REQUIRED',
    message: { parts: [{ text: 'Pay first' }], metadata: required },
  })
  const again = taskOf(await engine.send(say('hello?', { taskId: held.id }), alice))
  expect([stateOf(again), ran.length]).toEqual(['INPUT_REQUIRED', 0])
  const items = await collect(engine.stream(say('pay', { taskId: held.id }), alice))
  expect(items.map(brief)).toEqual(['task INPUT_REQUIRED', 'WORKING', 'COMPLETED'])
  expect(ran).toMatchObject([{ message: { parts: [{ text: 'work' }] }, resumed: false, last: 'pay' }])
  const task = await engine.get({ id: held.id }, alice)
  expect(task.status.message?.metadata).toEqual(paid)
  expect(ended).toEqual(['completed'])
  const texts = task.history?.map(({ parts }) => parts[0]?.text)
  expect(texts).toEqual(['work', 'Pay first', 'hello?', 'Pay first', 'pay'])
})

test('4: the held message is known after a restart', async () => {
  const store = { ...memoryTaskStore(), close: async () => {} }
  const { admit } = paywall()
  const ran: string[] = []
  const execute = async ({ text }: { readonly text: string }) => void ran.push(text)
  const before = engineOf(execute, { store, admit })
  const { id } = taskOf(await before.send(say('work'), alice))
  await before.close()
  const after = engineOf(execute, { store, admit })
  await after.recover()
  expect(stateOf(taskOf(await after.send(say('pay', { taskId: id }), alice)))).toBe('COMPLETED')
  expect(ran).toEqual(['work'])
})

test('4: metadata of the admission is on every status of the execution', async () => {
  const { admit, ended } = paywall()
  const engine = engineOf(
    async ({ progress }) => {
      progress('on it')
      return { state: 'input-required', message: 'And?', metadata: { mine: 1 } }
    },
    { admit },
  )
  const items = await collect(engine.stream(say('pay'), alice))
  const metadata = items.flatMap(({ event }) =>
    'statusUpdate' in event ? [event.statusUpdate.status.message?.metadata] : [],
  )
  expect(metadata).toEqual([verified, verified, { ...paid, mine: 1 }])
  expect(ended).toEqual(['interrupted'])
})

test('4: an admission that ends the task ends it, and nothing is executed', async () => {
  const { admit } = paywall()
  const engine = engineOf(async () => expect.unreachable(), { admit })
  const declined = taskOf(await engine.send(say('decline'), alice))
  expect(declined.status).toMatchObject({ state: 'TASK_STATE_FAILED', message: { metadata: required } })
})

test('4: an admission that throws leaves the task as it was', async () => {
  const admit: Admit = async ({ message }) => {
    if (message.parts[0]?.text === 'no') throw new A2AError('RATE_LIMITED')
    if (message.parts[0]?.text === 'bug') throw new Error('secret')
    return { kind: 'run' }
  }
  const engine = engineOf(async () => ({ state: 'input-required', message: '?' }), { admit })
  expect(await codeOf(engine.send(say('no'), alice))).toBe('RATE_LIMITED')
  expect(await codeOf(engine.send(say('no', {}, now), alice))).toBe('RATE_LIMITED')
  expect(await codeOf(collect(engine.stream(say('bug'), alice)))).toBe('INTERNAL')
  expect((await engine.list({}, alice)).totalSize).toBe(0)
  const before = taskOf(await engine.send(say('yes'), alice))
  expect(await codeOf(engine.send(say('no', { taskId: before.id }), alice))).toBe('RATE_LIMITED')
  expect(await engine.get({ id: before.id }, alice)).toEqual(before)
})

test('4: a failed execution is told to the admission, and its word is on the final status', async () => {
  const { admit, ended } = paywall()
  const engine = engineOf(
    async () => {
      throw new Error('boom')
    },
    { admit },
  )
  const task = taskOf(await engine.send(say('pay'), alice))
  expect([stateOf(task), ended]).toEqual(['FAILED', ['failed']])
  expect(task.status.message?.metadata).toMatchObject(paid)
})
