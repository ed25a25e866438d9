import { describe, expect, test } from 'vitest'
import { AGENT, AGENT_SEED, CALLER_SEED, openDesk, request } from '../../test/dialect.js'
import { memoryTaskStore } from '../store/memory.js'
import { signParams } from './profile.js'

describe('3.3: replay is retry', () => {
  test('a copy in flight joins, under its own JSON-RPC id, and the work is done once', async () => {
    const desk = openDesk()
    const params = request({ payload: { gate: true } })
    const both = [desk.ask(params, { id: 'one' }), desk.ask(params, { id: 'two' })]
    desk.clerk.release()
    const [one, two] = await Promise.all(both)
    expect(one?.body).toMatchObject({ id: 'one', result: { data: { nth: 1 } } })
    expect(two?.body).toEqual({ ...one?.body, id: 'two' })
    expect(desk.clerk.executions.length).toBe(1)
  })

  test('a copy after the answer gets the same answer; a new nonce is a new call', async () => {
    const desk = openDesk()
    const params = request()
    const first = await desk.ask(params)
    expect((await desk.ask(params)).body).toEqual(first.body)
    expect((await desk.ask(request())).body.result.data.nth).toBe(2)
    expect(desk.clerk.executions.length).toBe(2)
  })

  test('a failed call is not run again for its copy', async () => {
    const desk = openDesk()
    const params = request({ payload: { fail: true } })
    expect((await desk.ask(params)).body.error.code).toBe(-32603)
    expect((await desk.ask(params)).body.error.code).toBe(-32603)
    expect(desk.clerk.executions.length).toBe(1)
  })

  test('an answer is released only to a copy whose own signature verifies', async () => {
    const desk = openDesk()
    const params = request()
    await desk.ask(params)
    const other = request().signature as string
    const { body } = await desk.ask({ ...params, signature: other })
    expect(body.error.data.code).toBe('INVALID_SIGNATURE')
  })

  test('what does not verify takes no room', async () => {
    const desk = openDesk({ replay: { maxPerSender: 1 } })
    const signature = request().signature as string
    for (let at = 0; at < 5; at++) await desk.ask({ ...request(), signature })
    expect((await desk.ask(request())).body.result.status).toBe('success')
  })

  test('in strict mode a copy is REPLAYED', async () => {
    const desk = openDesk({ strict: true })
    const params = request()
    expect((await desk.ask(params)).body.result.status).toBe('success')
    expect((await desk.ask(params)).body.error).toMatchObject({ code: -32600, data: { code: 'REPLAYED' } })
    expect(desk.clerk.executions.length).toBe(1)
  })

  test('a copy is REPLAYED when its answer is no longer held', async () => {
    const desk = openDesk({ replay: { maxBytes: 1 } })
    const params = request()
    await desk.ask(params)
    expect((await desk.ask(params)).body.error.data.code).toBe('REPLAYED')
  })

  test('a sender at its cap gets 429 and loses nothing inside the window; others are served', async () => {
    let now = Date.now()
    const desk = openDesk({ replay: { maxPerSender: 2 }, now: () => now })
    const kept = request()
    await desk.ask(kept)
    await desk.ask(request())
    const { status, headers, body } = await desk.ask(request())
    expect([status, body.error.data.code]).toEqual([429, 'RATE_LIMITED'])
    expect(Number(headers['Retry-After'])).toBeGreaterThan(0)
    expect((await desk.ask(kept)).body.result.data.nth).toBe(1)
    expect((await desk.ask(request({}, AGENT_SEED))).body.result.status).toBe('success')
    now += 91_000
    const later = signParams(
      { to: AGENT, action: 'echo', payload: {}, timestamp: new Date(now).toISOString() },
      CALLER_SEED,
    )
    expect((await desk.ask(later)).body.result.status).toBe('success')
  })

  test('a store shared with the process before: its answer is given, nothing is executed', async () => {
    const store = memoryTaskStore({ now: Date.now })
    const params = request()
    const [before, after] = [openDesk({ store }), openDesk({ store })]
    const first = await before.ask(params)
    expect((await after.ask(params)).body).toEqual(first.body)
    expect(after.clerk.executions).toEqual([])
    const strict = openDesk({ store, strict: true })
    expect((await strict.ask(params)).body.error.data.code).toBe('REPLAYED')
  })

  test('a call that a process died over is REPLAYED, since nobody holds its answer', async () => {
    const store = memoryTaskStore({ now: Date.now })
    const params = request({ payload: { gate: true } })
    const dying = openDesk({ store })
    const lost = dying.ask(params)
    await expect.poll(() => dying.clerk.executions.length).toBe(1)
    const next = openDesk({ store })
    expect((await next.ask(params)).body.error.data.code).toBe('REPLAYED')
    expect(next.clerk.executions).toEqual([])
    dying.clerk.release()
    await lost
  })
})
