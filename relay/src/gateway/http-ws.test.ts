/** `/v1/ws` (spec 10.5): native messages on the HTTP port and on a port of its own. */
import { writeEvent } from '@aetherkit/core'
import { createRelay, type Relay } from '@aetherkit/relay'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ask } from '../../test/http-client.js'
import { LEGACY_HELLO } from '../../test/noisy-peer.js'
import { RawPeer } from '../../test/raw-peer.js'
import { createAuthor } from '../../test/signing.js'

const author = createAuthor()
let relay: Relay
beforeEach(async () => {
  relay = await createRelay({ verifyWorkers: 1, http: { wsPort: 0, origins: ['https://good.example'] } })
})
afterEach(() => relay.close())

describe.each(['port', 'wsPort'] as const)('on the %s', (which) => {
  const connect = () => RawPeer.connect(relay.http?.[which] ?? 0, { path: '/v1/ws' })

  test('publishes and subscribes without a hello', async () => {
    const [peer, native] = [await connect(), await RawPeer.connect(relay.port)]
    expect(await peer.ask({ type: 'subscribe', sub_id: 'a', filters: [{}] })).toMatchObject({
      type: 'subscribed',
    })
    const event = author.sign()
    expect(await native.ask(`{"type":"publish","event":${writeEvent(event)}}`)).toMatchObject({ type: 'ack' })
    expect(await peer.hearJson()).toMatchObject({ type: 'event', sub_id: 'a', event: { event_id: event.id } })
  })

  test('answers a hello, that of the legacy SDKs too', async () => {
    expect(await (await connect()).ask(LEGACY_HELLO)).toMatchObject({ type: 'welcome', format: 'json' })
    const noisy = await connect()
    const noise = { required: true, pubkey: 'ab'.repeat(32) }
    expect(await noisy.ask({ type: 'hello', version: 1, formats: ['json'], noise })).toMatchObject({
      type: 'welcome',
      noise: { required: true, pubkey: expect.any(String) },
    })
  })

  test('says errors in the words of the reference, and lives', async () => {
    const peer = await connect()
    const event = author.sign()
    const text = writeEvent(event) ?? ''
    expect(await peer.ask('not json')).toMatchObject({ error: 'invalid_message', code: 'invalid_message' })
    expect(await peer.ask('[]')).toMatchObject({
      error: 'invalid_message',
      message: 'message must be object',
    })
    expect(await peer.ask({ type: 'x' })).toMatchObject({
      error: 'unknown message type',
      code: 'invalid_message',
    })
    expect(await peer.ask({ type: 'subscribe', sub_id: 'a', filters: [{ kinds: 1 }] })).toMatchObject({
      error: 'kinds must be a list',
      code: 'invalid_filter',
      sub_id: 'a',
    })
    expect(await peer.ask({ type: 'publish', event: {} })).toMatchObject({
      error: 'validation_failed',
      message: 'invalid_event: event_id must be hex string',
      code: 'invalid_event',
    })
    const bad = text.replace(event.sig, '00'.repeat(64))
    expect(await peer.ask(`{"type":"publish","event":${bad}}`)).toMatchObject({
      error: 'validation_failed',
      message: 'invalid signature',
      code: 'invalid_signature',
      event_id: event.id,
    })
    expect(await peer.ask(`{"type":"publish","event":${text}}`)).toMatchObject({
      type: 'ack',
      event_id: event.id,
    })
  })

  test('lets in pages of listed origins, and peers that are no pages', async () => {
    const from = (origin: string) =>
      RawPeer.connect(relay.http?.[which] ?? 0, { path: '/v1/ws', headers: [`Origin: ${origin}`] })
    await expect(from('https://evil.example')).rejects.toThrow('403')
    expect((await from('https://good.example')).response).toContain('101')
  })

  test('other paths are refused', async () => {
    await expect(RawPeer.connect(relay.http?.[which] ?? 0, { path: '/v1/ws/x' })).rejects.toThrow('404')
    expect((await RawPeer.connect(relay.http?.[which] ?? 0, { path: '/v1/ws?x=1' })).response).toContain(
      '101',
    )
  })
})

test('a drain closes it with 1001', async () => {
  const peer = await RawPeer.connect(relay.http?.port ?? 0, { path: '/v1/ws' })
  await peer.ask({ type: 'subscribe', sub_id: 'a', filters: [{}] })
  await relay.close()
  expect(await peer.hearJson()).toMatchObject({ type: 'closed', sub_id: 'a', code: 'going_away' })
  expect(await peer.closed).toEqual({ code: 1001, reason: 'going_away' })
})

test('a plain GET is told to upgrade, and the own port knows nothing but that and the info document', async () => {
  const { port = 0, wsPort = 0 } = relay.http ?? {}
  const told = await ask(port, 'GET /v1/ws')
  expect([told.status, told.headers.upgrade, told.json.code]).toEqual([426, 'websocket', 'unsupported'])
  expect((await ask(wsPort, 'GET /v1/info')).json).toEqual({ ...relay.info })
  expect((await ask(wsPort, 'GET /healthz')).status).toBe(404)
})
