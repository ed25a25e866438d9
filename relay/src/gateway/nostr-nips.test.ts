/** What the Nostr gateway speaks beyond NIP-01, as a published client sees it (NIP-09, 11, 13, 40, 42, 45). */
import { proofOfWork, saneDefaults } from '@aetherkit/relay'
import { fetchRelayInformation } from 'nostr-tools/nip11'
import { minePow } from 'nostr-tools/nip13'
import { makeAuthEvent } from 'nostr-tools/nip42'
import { type EventTemplate, finalizeEvent, generateSecretKey, getPublicKey } from 'nostr-tools/pure'
import { describe, expect, test } from 'vitest'
import {
  nostrAuthor as author,
  ids,
  nostrKey as key,
  type NostrClient,
  now,
  query,
  signNostr as sign,
  subscribe,
} from '../../test/nostr-client.js'
import { NostrPeer } from '../../test/nostr-peer.js'
import { connectNostr as connect, startNostr as start } from '../../test/nostr-relay.js'
import { createAuthor } from '../../test/signing.js'

describe('COUNT (NIP-45)', () => {
  test('counts each stored event once, whatever the limit of its filter, of both protocols', async () => {
    const relay = await start()
    const client = await connect(relay)
    const at = now()
    for (let i = 0; i < 7; i++) await client.publish(sign({ created_at: at - i, kind: i % 2 }))
    expect(await client.count([{ kinds: [1], limit: 1 }], {})).toBe(3)
    // The profile was replaced twice over.
    expect(await client.count([{ kinds: [0] }], {})).toBe(1)
    expect(await client.count([{ kinds: [1] }, { authors: [author] }], {})).toBe(4)
    expect(await client.count([{ authors: [getPublicKey(generateSecretKey())] }], {})).toBe(0)
    await relay.publish(createAuthor().sign())
    expect(await client.count([{}], {})).toBe(5)
  })
})

describe('deletion (NIP-09)', () => {
  test('takes away what the author names by id or address, and keeps it away', async () => {
    const relay = await start()
    const client = await connect(relay)
    const at = now() - 100
    const [note, article, profile] = [
      sign({ created_at: at }),
      sign({ kind: 30_023, tags: [['d', 'a']], created_at: at }),
      sign({ kind: 0, created_at: at }),
    ]
    for (const event of [note, article, profile]) await client.publish(event)
    const tags = [
      ['e', note.id],
      ['a', `30023:${author}:a`],
      ['a', `0:${author}:`],
    ]
    const deletion = sign({ kind: 5, tags, created_at: at + 1 })
    expect(await client.publish(deletion)).toBe('accepted')
    expect(ids(await query(client, { authors: [author] }))).toEqual([deletion.id])
    for (const event of [note, article, profile])
      await expect(client.publish(event)).rejects.toThrow('blocked: its author has deleted it')
    const later = sign({ kind: 0, created_at: at + 2 })
    expect(await client.publish(later)).toBe('accepted')
    expect(await client.count([{ kinds: [0] }], {})).toBe(1)
  })

  test("does nothing to another author's events, nor to Aether events of the same id", async () => {
    const relay = await start()
    const client = await connect(relay)
    const peer = await NostrPeer.connect(relay)
    const [other, aether] = [sign({}, generateSecretKey()), createAuthor().sign()]
    await client.publish(other)
    await relay.publish(aether)
    await client.publish(
      sign({
        kind: 5,
        tags: [
          ['e', other.id],
          ['e', aether.id],
        ],
      }),
    )
    expect(ids(await peer.query({ kinds: [1] })).sort()).toEqual([other.id, aether.id].sort())
  })
})

test('an event with an expiration is refused when over, and hidden from then on (NIP-40)', async () => {
  let time = BigInt(now()) * 1_000_000_000n
  const client = await connect(await start({ now: () => time }))
  const seconds = Number(time / 1_000_000_000n)
  await expect(client.publish(sign({ tags: [['expiration', String(seconds - 1)]] }))).rejects.toThrow(
    'invalid: event expired',
  )
  await client.publish(sign({ tags: [['expiration', String(seconds + 10)]], created_at: seconds }))
  expect(await client.count([{}], {})).toBe(1)
  time += 11_000_000_000n
  expect(await query(client, {})).toEqual([])
  expect(await client.count([{}], {})).toBe(0)
})

test('proof of work is asked of the id of either protocol (NIP-13)', async () => {
  const client = await connect(await start({ policies: [...saneDefaults(), proofOfWork(8)] }))
  const mined = minePow({ kind: 1, content: '', tags: [], created_at: now(), pubkey: author }, 8)
  expect(await client.publish(finalizeEvent(mined, key))).toBe('accepted')
  let lazy = sign()
  while (lazy.id.startsWith('00')) lazy = sign({ content: lazy.id })
  await expect(client.publish(lazy)).rejects.toThrow('pow: pow difficulty not met')
})

test('the info document is readable from any page (NIP-11)', async () => {
  const relay = await start({ policies: [...saneDefaults(), proofOfWork(3)], name: 'test' })
  const url = relay.nostr?.url ?? ''
  const info = await fetchRelayInformation(url)
  expect(info).toMatchObject({
    name: 'test',
    supported_nips: [1, 9, 11, 13, 40, 42, 45],
    limitation: {
      min_pow_difficulty: 3,
      max_subscriptions: 256,
      created_at_upper_limit: 60,
      auth_required: false,
    },
  })
  const http = url.replace('ws:', 'http:')
  const answer = await fetch(http, { headers: { accept: 'application/nostr+json' } })
  expect(answer.headers.get('content-type')).toBe('application/nostr+json')
  expect(answer.headers.get('access-control-allow-origin')).toBe('*')
  expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(info)))
  expect((await fetch(http, { method: 'OPTIONS' })).status).toBe(204)
  expect((await fetch(http)).status).toBe(404)
})

describe('AUTH (NIP-42)', () => {
  test('proves a key of either protocol, and a direct message is read by its parties alone', async () => {
    const reader = generateSecretKey()
    const read = [{ kinds: [[4, 4]] as const, allow: 'parties' as const }]
    const relay = await start({ auth: { read } })
    const [writer, unknown, party, stranger] = await Promise.all([0, 1, 2, 3].map(() => connect(relay)))
    const message = sign({ kind: 4, tags: [['p', getPublicKey(reader)]] })
    await writer!.publish(message)
    await expect(query(unknown!, { kinds: [4] })).rejects.toThrow('auth-required: auth required')
    await expect(unknown!.count([{ kinds: [4] }], {})).rejects.toThrow('auth-required: auth required')
    expect(await query(unknown!, {})).toEqual([])
    expect(await unknown!.count([{}], {})).toBe(0)
    const login = (client: NostrClient, by: Uint8Array) =>
      client.auth(async (event) => finalizeEvent(event, by))
    expect(await login(party!, reader)).toBe('accepted')
    expect(await login(stranger!, generateSecretKey())).toBe('accepted')
    expect(await query(stranger!, { kinds: [4] })).toEqual([])
    expect(await stranger!.count([{ kinds: [4] }], {})).toBe(0)
    const { stored, next } = await subscribe(party!, { kinds: [4] })
    expect(ids(stored)).toEqual([message.id])
    expect(await party!.count([{ kinds: [4] }], {})).toBe(1)
    const live = sign({ kind: 4, tags: [['p', getPublicKey(reader)]], content: 'live' })
    await writer!.publish(live)
    expect(ids([await next()])).toEqual([live.id])
  })

  test('takes no other challenge, relay, time, kind or signature', async () => {
    const relay = await start()
    const peer = await NostrPeer.connect(relay)
    const url = relay.nostr?.url ?? ''
    const template = makeAuthEvent(url, peer.challenge)
    const tags = (relayUrl: string, challenge: string) => ({
      tags: [
        ['relay', relayUrl],
        ['challenge', challenge],
      ],
    })
    const bad: [Partial<EventTemplate>, string][] = [
      [tags(url, 'x'), 'auth-required: auth required'],
      [tags(url, (await NostrPeer.connect(relay)).challenge), 'auth-required: auth required'],
      [tags('wss://other.example', peer.challenge), 'auth-required: auth required'],
      [tags(`ws://127.0.0.1:1`, peer.challenge), 'auth-required: auth required'],
      [tags('no url', peer.challenge), 'auth-required: auth required'],
      [{ created_at: now() - 3600 }, 'invalid: created_at outside allowed window'],
      [{ kind: 1 }, 'blocked: kind out of supported range'],
    ]
    for (const [part, text] of bad) {
      const event = sign({ ...template, ...part })
      expect(await peer.ask(['AUTH', event])).toEqual(['OK', event.id, false, text])
    }
    const forged = { ...sign(template), sig: 'ab'.repeat(64) }
    expect(await peer.ask(['AUTH', forged])).toEqual(['OK', forged.id, false, 'invalid: invalid signature'])
    const good = sign(template)
    expect(await peer.ask(['EVENT', good])).toEqual([
      'OK',
      good.id,
      false,
      'blocked: kind out of supported range',
    ])
    expect(await peer.ask(['AUTH', good])).toEqual(['OK', good.id, true, 'accepted'])
    expect(await peer.query({})).toEqual([])
  })

  test('names one of the URLs that are configured, whatever address it came in on', async () => {
    const relay = await start({ auth: { urls: ['wss://relay.example/nostr'] } })
    const peer = await NostrPeer.connect(relay)
    const here = sign(makeAuthEvent(relay.nostr?.url ?? '', peer.challenge))
    expect((await peer.ask(['AUTH', here]))[2]).toBe(false)
    const named = sign(makeAuthEvent('wss://relay.example/nostr/', peer.challenge))
    expect((await peer.ask(['AUTH', named]))[2]).toBe(true)
  })

  test('is asked of writers by rule: of any key, or of the key of the event', async () => {
    const write = [
      { kinds: [[1, 1]] as const, allow: 'author' as const },
      { recipients: ['ab'.repeat(32)], allow: [author] },
    ]
    const relay = await start({ auth: { write } })
    const client = await connect(relay)
    await expect(client.publish(sign())).rejects.toThrow('auth-required: auth required')
    expect(await client.publish(sign({ kind: 2 }))).toBe('accepted')
    await expect(client.publish(sign({ kind: 2, tags: [['p', 'ab'.repeat(32)]] }))).rejects.toThrow(
      'auth-required',
    )
    await client.auth(async (event) => finalizeEvent(event, key))
    expect(await client.publish(sign())).toBe('accepted')
    expect(await client.publish(sign({ kind: 2, tags: [['p', 'ab'.repeat(32)]] }))).toBe('accepted')
    await expect(client.publish(sign({}, generateSecretKey()))).rejects.toThrow('restricted: restricted')
  })
})
