/** Subscriptions over HTTP: ids, owners, filters, limits, end of life (spec 10.3). */
import { describe, expect, test, vi } from 'vitest'
import { ask, publish, relay, start, stream, subscribe } from '../../test/http-relay.js'

describe('a subscription', () => {
  test('made by the relay has an id of 128 random bits, an owner token and a cursor', async () => {
    await start()
    await publish()
    const { status, json } = await subscribe({ filters: { kinds: [1] } })
    expect(status).toBe(200)
    expect(json.subscription_id).toMatch(/^sub-[0-9a-f]{32}$/)
    expect(Buffer.from(String(json.owner), 'base64url')).toHaveLength(16)
    expect(json.cursor).toBe(`${relay.info.epoch}-1`)
  })

  test('with a chosen id is honoured if it is free', async () => {
    await start()
    expect((await subscribe({ filters: [{}], subscription_id: 'mine' })).json.subscription_id).toBe('mine')
    for (const none of ['', null])
      expect((await subscribe({ filters: {}, subscription_id: none })).json.subscription_id).toMatch(/^sub-/)
  })

  test('is set again, and deleted, only by its owner; once the token was shown the address no longer counts', async () => {
    await start()
    const { owner } = (await subscribe({ filters: {}, subscription_id: 's' })).json
    const wrong = 'x'.repeat(22)
    const stolen = await subscribe({ filters: {}, subscription_id: 's', owner: wrong })
    expect([stolen.status, stolen.json]).toEqual([
      409,
      { error: 'subscription_conflict', message: 'subscription exists', code: 'subscription_conflict' },
    ])
    // Nobody has shown a token yet: the same address will do, as with the reference.
    expect((await subscribe({ filters: { kinds: [2] }, subscription_id: 's' })).status).toBe(200)
    expect((await subscribe({ filters: {}, subscription_id: 's', owner: String(owner) })).status).toBe(200)
    expect((await subscribe({ filters: {}, subscription_id: 's' })).json.code).toBe('subscription_conflict')
    const missing = await ask('DELETE /v1/subscriptions/nope')
    for (const headers of [{}, { authorization: `Bearer ${wrong}` }]) {
      const refused = await ask('DELETE /v1/subscriptions/s', { headers })
      expect([refused.status, refused.text]).toEqual([404, missing.text])
    }
    const headers = { authorization: `Bearer ${owner}` }
    const deleted = await ask('DELETE /v1/subscriptions/s', { headers })
    expect([deleted.status, deleted.json]).toEqual([200, { deleted: true, subscription_id: 's' }])
    expect(missing.json).toEqual({
      error: 'subscription_not_found',
      message: 'subscription_not_found',
      code: 'subscription_not_found',
    })
  })

  test('keeps the owner token that a client brings', async () => {
    await start()
    const owner = 'a-token-of-my-own'
    expect((await subscribe({ filters: {}, subscription_id: 's', owner })).json.owner).toBe(owner)
    expect((await subscribe({ filters: {}, subscription_id: 's' })).status).toBe(409)
    expect((await subscribe({ filters: {}, owner: 'short' })).json.code).toBe('invalid_message')
  })

  test('needs filters of the right shape', async () => {
    await start({ limits: { maxSubId: 4 } })
    const refused = async (body: object) => {
      const { status, json } = await subscribe(body)
      return [status, json.error, json.code, json.message]
    }
    const code = 'invalid_message'
    expect(await refused([])).toEqual([400, code, code, 'invalid_message: payload must be object'])
    expect(await refused({ filters: [] })).toEqual([400, code, code, 'invalid_message: filters required'])
    expect(await refused({})).toEqual([400, code, code, 'invalid_message: filters must be object or list'])
    expect(await refused({ filters: [{}, 7] })).toEqual([
      400,
      code,
      code,
      'invalid_message: filters must be object or list',
    ])
    expect(await refused({ filters: {}, subscription_id: 7 })).toEqual([
      400,
      code,
      code,
      'subscription_id required',
    ])
    expect((await refused({ filters: {}, subscription_id: 'ééé' }))[2]).toBe('limit_exceeded')
  })

  test('is one of at most so many of its address, and of all', async () => {
    await start({ limits: { maxSubscriptions: 2 } })
    for (let i = 0; i < 2; i++) expect((await subscribe({ filters: {} })).status).toBe(200)
    expect((await subscribe({ filters: {} })).json.code).toBe('limit_exceeded')
    await relay.close()
    await start({ limits: { maxHttpSubscriptions: 1 } })
    await subscribe({ filters: {}, subscription_id: 'a' })
    const { status, json, headers } = await subscribe({ filters: {} })
    expect([status, json.code, headers['retry-after']]).toEqual([503, 'unavailable', '1'])
    await ask('DELETE /v1/subscriptions/a')
    expect((await subscribe({ filters: {} })).status).toBe(200)
  })

  test('has filters of at most so many bytes, together with the others of its address', async () => {
    await start({ limits: { maxFilterBytes: 1000 } })
    const set = async (subscription_id: string, values: number) => {
      const filters = { kinds: Array.from({ length: values }, (_, i) => i) }
      return (await subscribe({ filters, subscription_id })).json.code
    }
    expect(await set('a', 8)).toBeUndefined()
    expect(await set('b', 8)).toBe('limit_exceeded')
    expect(await set('a', 14)).toBeUndefined()
    expect(await set('a', 15)).toBe('limit_exceeded')
    expect(await set('b', 1)).toBe('limit_exceeded')
    await ask('DELETE /v1/subscriptions/a')
    expect(await set('b', 14)).toBeUndefined()
  })

  test('expires a while after its last reader left, not before', async () => {
    await start()
    const counts = async () => {
      const { http_subscriptions: subscriptions, stream_readers: readers } = (await ask('GET /healthz')).json
      return [subscriptions, readers]
    }
    const MINUTE = 60_000
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      await subscribe({ filters: {}, subscription_id: 's' })
      vi.advanceTimersByTime(9 * MINUTE)
      const reader = await stream('s')
      vi.advanceTimersByTime(60 * MINUTE)
      expect(await counts()).toEqual([1, 1])
      await publish()
      expect((await reader.next())?.event).toBe('event')
      reader.close()
      await expect.poll(counts).toEqual([1, 0])
      vi.advanceTimersByTime(9 * MINUTE)
      expect(await counts()).toEqual([1, 0])
      vi.advanceTimersByTime(MINUTE)
      expect(await counts()).toEqual([0, 0])
    } finally {
      vi.useRealTimers()
    }
    const { status, blocks } = await stream('s')
    expect([status, blocks]).toEqual([404, []])
  })
})
