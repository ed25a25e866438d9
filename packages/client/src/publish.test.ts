import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClock, generateSecretKey, signEvent } from '@aetherkit/core'
import { openLmdbStore } from '@aetherkit/relay'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WELCOME } from '../test/scripted-relay.js'
import { client, deadUrl, failure, proxy, relay, scripted, until } from '../test/world.js'

const clock = createClock()

describe.each(['aether.v2', 'json'] as const)('publish over %s', (format) => {
  test('resolves with what each relay did', async () => {
    const { url } = await relay()
    const alice = await client(url, { formats: [format] })
    const published = await alice.publish({ kind: 1, content: 'hello', tags: [['t', 'x']] })
    expect(published.relays[url]).toMatchObject({ ok: true, status: 'stored', seq: 1n })
    expect(published.event).toMatchObject({ id: published.id, pubkey: alice.publicKey, kind: 1 })
    const again = await alice.publish(published.event)
    expect(again.relays[url]).toMatchObject({ ok: true, status: 'duplicate' })
    const ephemeral = await alice.publish({ kind: 20_001 })
    expect(ephemeral.relays[url]).toMatchObject({ ok: true, status: 'forwarded' })
  })

  test('an older version of a replaceable event is superseded', async () => {
    const { url } = await relay()
    const alice = await client(url, { formats: [format] })
    await alice.publish({ kind: 10_001, createdAt: 2n })
    const published = await alice.publish({ kind: 10_001, createdAt: 1n })
    expect(published.relays[url]).toMatchObject({ ok: true, status: 'superseded' })
  })

  test('rejects with REJECTED and the code of the relay', async () => {
    const { url } = await relay()
    const alice = await client(url, { formats: [format] })
    const event = signEvent({ kind: 1, createdAt: clock() }, generateSecretKey())
    const error = await failure(alice.publish({ ...event, sig: '0'.repeat(128) }))
    expect(error).toMatchObject({
      code: 'REJECTED',
      rejectCode: 'invalid_signature',
      relays: { [url]: { ok: false, code: 'invalid_signature' } },
    })
  })

  test('content that is no text arrives as it is', async () => {
    const { url } = await relay()
    const alice = await client(url, { formats: [format] })
    const content = Uint8Array.of(0xff, 0, 0xfe)
    const { id } = await alice.publish({ kind: 1, content })
    const [event] = await alice.query({ ids: [id] })
    expect(event?.content).toEqual(content)
  })
})

describe('several relays', () => {
  test('a dead relay is disconnected and does not hold up the others', async () => {
    const [one, two, dead] = [await relay(), await relay(), await deadUrl()]
    const alice = await client([one.url, dead, two.url])
    await until(() => alice.connected.length === 2)
    const { relays } = await alice.publish({ kind: 1 }, { quorum: 2 })
    expect(relays).toMatchObject({
      [one.url]: { ok: true, status: 'stored' },
      [two.url]: { ok: true, status: 'stored' },
      [dead]: { ok: false, code: 'disconnected' },
    })
  })

  test('a quorum that is not met is TIMEOUT, with what the others said', async () => {
    const [one, dead] = [await relay(), await deadUrl()]
    const alice = await client([one.url, dead])
    const error = await failure(alice.publish({ kind: 1 }, { quorum: 2, timeoutMs: 1_000 }))
    expect(error).toMatchObject({
      code: 'TIMEOUT',
      relays: { [one.url]: { ok: true }, [dead]: { ok: false, code: 'disconnected' } },
    })
  })

  test('a relay that says nothing is left behind when time is up', async () => {
    const one = await relay()
    const silent = await scripted((message, send) => {
      if (message.type === 'hello') send(WELCOME)
    })
    const alice = await client([one.url, silent.url])
    await until(() => alice.connected.length === 2)
    const { relays } = await alice.publish({ kind: 1 }, { timeoutMs: 1_000 })
    expect(relays).toMatchObject({ [one.url]: { ok: true }, [silent.url]: { ok: false, code: 'timeout' } })
  })

  test('a quorum above the number of relays is misuse', async () => {
    const alice = await client((await relay()).url)
    expect(await failure(alice.publish({ kind: 1 }, { quorum: 2 }))).toBeInstanceOf(RangeError)
  })
})

describe('retry', () => {
  test('an event whose ack was lost with the relay is a duplicate after its restart, not a second event', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aetherkit-publish-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const first = await relay({ store: await openLmdbStore(folder) })
    const wire = await proxy(first.port)
    const alice = await client(wire.url)
    wire.muted = true
    const publishing = alice.publish({ kind: 1, content: 'once' })
    const watcher = await client(first.url)
    let found = await watcher.query({ kinds: [1] })
    while (found.length === 0) found = await watcher.query({ kinds: [1] })
    wire.refusing = true
    wire.cut()
    await watcher.close()
    await first.close()

    const second = await relay({ port: first.port, store: await openLmdbStore(folder) })
    wire.muted = wire.refusing = false
    const published = await publishing
    expect(published.relays[wire.url]).toMatchObject({ ok: true, status: 'duplicate' })
    const after = await client(second.url)
    expect((await after.query({ kinds: [1] })).map(({ id }) => id)).toEqual([published.id])
  })

  test('retry_after_ms is honoured: the same event goes again and is accepted', async () => {
    let refused = false
    const busy = await scripted((message, send) => {
      if (message.type === 'hello') send(WELCOME)
      if (message.type !== 'publish') return
      const { event_id } = message.event as { event_id: string }
      if (refused) send({ type: 'ack', event_id, status: 'stored', seq: 7 })
      else
        send({
          type: 'error',
          error: 'rate limit exceeded',
          code: 'rate_limited',
          event_id,
          retry_after_ms: 20,
        })
      refused = true
    })
    const alice = await client(busy.url)
    const { relays } = await alice.publish({ kind: 1 })
    expect(relays[busy.url]).toMatchObject({ ok: true, status: 'stored', seq: 7n })
    expect(busy.received.filter(({ type }) => type === 'publish')).toHaveLength(2)
  })

  test('a wait beyond the timeout is a refusal at once', async () => {
    const busy = await scripted((message, send) => {
      if (message.type === 'hello') send(WELCOME)
      if (message.type !== 'publish') return
      const { event_id } = message.event as { event_id: string }
      send({
        type: 'error',
        error: 'rate limit exceeded',
        code: 'rate_limited',
        event_id,
        retry_after_ms: 1e9,
      })
    })
    const alice = await client(busy.url)
    const error = await failure(alice.publish({ kind: 1 }))
    expect(error).toMatchObject({ code: 'REJECTED', rejectCode: 'rate_limited' })
  })

  test('a relay of the reference, which names no event, is understood in order', async () => {
    const old = await scripted((message, send) => {
      if (message.type === 'hello')
        send({ type: 'welcome', version: 1, format: 'json', noise: { required: false } })
      if (message.type !== 'publish') return
      const { kind } = message.event as { kind: number }
      send(kind === 1 ? { type: 'ack' } : { type: 'error', error: 'kind out of range' })
    })
    const alice = await client(old.url)
    const [good, bad] = await Promise.allSettled([alice.publish({ kind: 1 }), alice.publish({ kind: 2 })])
    expect(good).toMatchObject({ status: 'fulfilled', value: { relays: { [old.url]: { ok: true } } } })
    expect(bad).toMatchObject({
      status: 'rejected',
      reason: { code: 'REJECTED', rejectCode: 'kind_out_of_range' },
    })
  })
})

describe('offline', () => {
  test('what is published without a relay waits for one', async () => {
    const one = await relay()
    const wire = await proxy(one.port)
    const alice = await client(wire.url)
    wire.refusing = true
    wire.cut()
    await until(() => alice.connected.length === 0)
    const publishing = alice.publish({ kind: 1, content: 'later' })
    wire.refusing = false
    expect((await publishing).relays[wire.url]).toMatchObject({ ok: true, status: 'stored' })
  })

  test('the queue is bounded: one more is QUEUE_FULL, and DISCONNECTED when time is up', async () => {
    const one = await relay()
    const wire = await proxy(one.port)
    const alice = await client(wire.url, { maxPending: 2 })
    wire.refusing = true
    wire.cut()
    await until(() => alice.connected.length === 0)
    const waiting = [1, 2].map(() => failure(alice.publish({ kind: 1 }, { timeoutMs: 200 })))
    await Promise.resolve()
    const full = [3, 4].map(() => failure(alice.publish({ kind: 1 }, { timeoutMs: 200 })))
    expect(await Promise.all(full)).toMatchObject([{ code: 'QUEUE_FULL' }, { code: 'QUEUE_FULL' }])
    expect(await Promise.all(waiting)).toMatchObject([{ code: 'DISCONNECTED' }, { code: 'DISCONNECTED' }])
    wire.refusing = false
    expect((await alice.publish({ kind: 1 })).relays[wire.url]).toMatchObject({ ok: true })
  })

  test('an event over the limits is TOO_LARGE and never sent', async () => {
    const alice = await client((await relay()).url)
    const error = await failure(alice.publish({ kind: 1, content: new Uint8Array(600_000) }))
    expect(error).toMatchObject({ code: 'TOO_LARGE', rejectCode: 'too_large' })
  })
})

describe('abort and close', () => {
  test('an aborted publish rejects with the reason of the signal', async () => {
    const alice = await client((await relay()).url)
    expect(await failure(alice.publish({ kind: 1 }, { signal: AbortSignal.abort('enough') }))).toBe('enough')
    const stop = new AbortController()
    const aborted = failure(alice.publish({ kind: 1 }, { signal: stop.signal }))
    stop.abort('later')
    expect(await aborted).toBe('later')
  })

  test('close rejects what waits with CLOSED, and so does everything after it', async () => {
    const silent = await scripted((message, send) => {
      if (message.type === 'hello') send(WELCOME)
    })
    const alice = await client(silent.url)
    const waiting = failure(alice.publish({ kind: 1 }))
    await until(() => silent.received.some(({ type }) => type === 'publish'))
    await alice.close()
    expect(await waiting).toMatchObject({ code: 'CLOSED' })
    expect(await failure(alice.publish({ kind: 1 }))).toMatchObject({ code: 'CLOSED' })
  })
})
