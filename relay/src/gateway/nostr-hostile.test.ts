/** The Nostr gateway against bad neighbours (spec 9.2, 13.2): every message is answered, and none ends the connection. */
import { writeEvent } from '@aetherkit/core'
import { createRelay, type Relay, type RelayEvent, type RelayOptions } from '@aetherkit/relay'
import { finalizeEvent, generateSecretKey } from 'nostr-tools/pure'
import { afterEach, describe, expect, test } from 'vitest'
import { NostrPeer } from '../../test/nostr-peer.js'
import { createAuthor } from '../../test/signing.js'

const author = createAuthor()
const nostr = finalizeEvent(
  { kind: 1, content: 'x', tags: [], created_at: 1_700_000_000 },
  generateSecretKey(),
)
const id = 'a'.repeat(64)
const shape = {
  id,
  pubkey: 'b'.repeat(64),
  kind: 1,
  created_at: 1,
  tags: [],
  content: '',
  sig: 'c'.repeat(128),
}

let relay: Relay
const faults: RelayEvent[] = []
async function start(options: RelayOptions = {}): Promise<NostrPeer> {
  faults.length = 0
  relay = await createRelay({
    ...{ verifyWorkers: 1, nostr: {}, ...options },
    onEvent: (event) => void (event.type === 'fault' && faults.push(event)),
  })
  return NostrPeer.connect(relay)
}
afterEach(async () => {
  await relay.close()
  expect(faults).toEqual([])
})

const notice = (text: string) => ['NOTICE', `invalid_message: ${text}`]
const closed = (text: string) => ['CLOSED', 'a', text]
const refused = (text: string) => ['OK', id, false, text]
const event = (part: object) => ['EVENT', { ...shape, ...part }]
const request = (...filters: unknown[]) => ['REQ', 'a', ...filters]

describe('a message is refused with its text, and the connection lives', () => {
  const cases: [name: string, message: string | readonly unknown[], answer: readonly unknown[]][] = [
    ['nothing', '', notice('expected array message')],
    ['no JSON', '[', notice('expected array message')],
    ['an object', '{}', notice('expected array message')],
    ['a byte order mark', '\ufeff["CLOSE","a"]', notice('expected array message')],
    ['an empty array', [], notice('unsupported command')],
    ['a number for a command', [1, 'a'], notice('unsupported command')],
    ['a command of relays', ['EOSE', 'a'], notice('unsupported command')],
    ['a command in small letters', ['req', 'a', {}], notice('unsupported command')],
    ['a command of an object', ['__proto__', 'a'], notice('unsupported command')],
    ['100,000 levels', '['.repeat(100_000), notice('expected array message')],
    ['33 levels', `["REQ","a",${'['.repeat(32)}${']'.repeat(32)}]`, notice('expected array message')],
    ['EVENT alone', ['EVENT'], notice('EVENT payload invalid')],
    ['EVENT with text', ['EVENT', 'x'], notice('EVENT payload invalid')],
    ['EVENT with two', ['EVENT', shape, shape], notice('EVENT payload invalid')],
    ['AUTH with a challenge', ['AUTH', 'x'], notice('EVENT payload invalid')],
    ['REQ alone', ['REQ'], notice('REQ requires sub_id and filter')],
    ['REQ without a filter', request(), closed('invalid: REQ requires sub_id and filter')],
    ['REQ of a number', ['REQ', 1, {}], notice('sub_id must be string')],
    ['REQ without a name', ['REQ', '', {}], notice('sub_id must be string')],
    ['REQ of half a character', '["REQ","\\ud800",{}]', notice('sub_id must be string')],
    ['COUNT alone', ['COUNT'], notice('COUNT requires sub_id and filter')],
    ['COUNT without a filter', ['COUNT', 'a'], closed('invalid: COUNT requires sub_id and filter')],
    ['CLOSE alone', ['CLOSE'], notice('CLOSE requires sub_id')],
    ['CLOSE of a number', ['CLOSE', 1], notice('sub_id must be string')],
    ['a long name', ['REQ', 'é'.repeat(65), {}], ['NOTICE', 'limit_exceeded: limit exceeded']],
    ['a filter that is text', request('x'), closed('invalid: filter must be object')],
    ['search', request({ search: 'x' }), closed('unsupported: unknown filter key "search"')],
    [
      'a filter key of an object',
      '["REQ","a",{"__proto__":[]}]',
      closed('unsupported: unknown filter key "__proto__"'),
    ],
    ['kinds that are no list', request({ kinds: 1 }), closed('invalid: kinds must be a list')],
    ['a long prefix', request({ ids: [`${id}a`] }), closed('invalid: ids must be hex')],
    ['a prefix of nothing', request({ authors: [''] }), closed('invalid: authors must be hex')],
    ['since that is a fraction', request({ since: 1.5 }), closed('invalid: filter must be int')],
    ['since below zero', request({ since: -1 }), closed('invalid: since must be uint64')],
    ['a key named twice', '["REQ","a",{"since":1,"since":2}]', closed('invalid: duplicate key in filter')],
    ['a limit that is text', request({ limit: '1' }), closed('invalid: limit must be int')],
    ['tag values that are numbers', request({ '#t': [1] }), closed('invalid: tag values must be list')],
    ['33 filters', request(...Array.from({ length: 33 }, () => ({}))), closed('error: limit exceeded')],
    [
      '1001 kinds',
      request({ kinds: Array.from({ length: 1001 }, () => 1) }),
      closed('error: limit exceeded'),
    ],
    [
      '1001 tag keys',
      request(Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`#${i}`, ['x']]))),
      closed('error: limit exceeded'),
    ],
    ['an event without an id', ['EVENT', {}], ['NOTICE', 'invalid_event: event_id must be hex string']],
    [
      'an id that is no hex',
      event({ id: 'z'.repeat(64) }),
      ['NOTICE', 'invalid_event: event_id must be hex'],
    ],
    [
      'two ids',
      event({ event_id: 'b'.repeat(64) }),
      ['OK', 'b'.repeat(64), false, 'invalid: event_id mismatch'],
    ],
    [
      'an event named twice',
      `["EVENT",{"kind":1,${JSON.stringify(shape).slice(1)}]`,
      refused('invalid: duplicate key in event'),
    ],
    [
      'an id named twice',
      `["EVENT",{"id":"${id}",${JSON.stringify(shape).slice(1)}]`,
      refused('invalid: duplicate key in event'),
    ],
    ['a pubkey that is a number', event({ pubkey: 1 }), refused('invalid: pubkey must be hex string')],
    ['a pubkey that is no hex', event({ pubkey: 'z'.repeat(64) }), refused('invalid: pubkey must be hex')],
    ['a pubkey that is short', event({ pubkey: 'ab' }), refused('invalid: pubkey must be 32 bytes')],
    ['a kind that is text', event({ kind: 'x' }), refused('invalid: kind must be int')],
    ['a kind that is beyond u16', event({ kind: 65_536 }), refused('invalid: kind must be uint16')],
    ['an Aether kind that is out of range', event({ kind: 40_000 }), refused('invalid: kind out of range')],
    ['a time that is true', event({ created_at: true }), refused('invalid: created_at must be int')],
    ['tags that are an object', event({ tags: {} }), refused('invalid: tags must be list')],
    ['a tag that is empty', event({ tags: [[]] }), refused('invalid: malformed tag')],
    ['a tag that holds a number', event({ tags: [['t', 1]] }), refused('invalid: malformed tag')],
    ['a key that is empty', event({ tags: [['']] }), refused('invalid: tag key cannot be empty')],
    ['content that is a number', event({ content: 1 }), refused('invalid: content must be string')],
    [
      '2001 tags',
      event({ tags: Array.from({ length: 2001 }, () => ['t']) }),
      refused('invalid: tag limits exceeded'),
    ],
    ['both hashes wrong', event({}), refused('invalid: event_id mismatch')],
  ]

  test.each(cases)('%s', async (_name, message, answer) => {
    const peer = await start()
    expect(await peer.ask(message)).toEqual(answer)
    expect(await peer.ask(request({}))).toEqual(['EOSE', 'a'])
  })

  test('a binary frame, whatever is in it', async () => {
    const peer = await start()
    peer.raw.sayBytes(Buffer.from('["CLOSE","a"]'))
    expect(await peer.hear()).toEqual(notice('expected array message'))
    peer.raw.sayBytes(Buffer.of(0xff, 0, 1))
    expect(await peer.hear()).toEqual(notice('expected array message'))
    expect(await peer.ask(request({}))).toEqual(['EOSE', 'a'])
  })
})

test('an Aether event passes with its id under either name or both', async () => {
  const peer = await start()
  for (const name of ['event_id', 'id', 'both']) {
    const sent = author.sign({ tags: [['t', 'x']] })
    const text = writeEvent(sent) ?? ''
    const renamed =
      name === 'id'
        ? text.replace('"event_id"', '"id"')
        : name === 'both'
          ? `{"id":"${sent.id}",${text.slice(1)}`
          : text
    expect(await peer.ask(`["EVENT",${renamed}]`)).toEqual(['OK', sent.id, true, 'accepted'])
  }
})

test('events of the two protocols that are mixed up are refused, in every mixture', async () => {
  const peer = await start()
  const sent = author.sign({ kind: 2, content: 'y', tags: [['t', 'y']] })
  const aether = JSON.parse(writeEvent(sent) ?? '') as Record<string, unknown>
  const fields = ['pubkey', 'created_at', 'kind', 'tags', 'content', 'sig'] as const
  // Every way to take each field from one or the other, but those that are all of one.
  for (let mixture = 1; mixture < 2 ** fields.length - 1; mixture++)
    for (const claimed of [nostr.id, sent.id]) {
      const mixed: Record<string, unknown> = { id: claimed }
      fields.forEach((field, i) => {
        mixed[field] = (mixture >> i) & 1 ? aether[field] : nostr[field]
      })
      const [type, answered, taken] = await peer.ask(['EVENT', mixed])
      expect([type, answered, taken]).toEqual(['OK', claimed, false])
    }
  expect(await peer.query({})).toEqual([])
})

test('more subscriptions than the limit are refused, others go on, and all are gone with the connection', async () => {
  const peer = await start({ limits: { maxSubscriptions: 20 } })
  for (let i = 0; i < 20; i++) expect((await peer.ask(['REQ', `s${i}`, { kinds: [i] }]))[0]).toBe('EOSE')
  for (let i = 0; i < 5; i++)
    expect(await peer.ask(['REQ', `x${i}`, {}])).toEqual(['CLOSED', `x${i}`, 'error: limit exceeded'])
  expect(await peer.ask(['REQ', 's3', { kinds: [1] }])).toEqual(['EOSE', 's3'])
  expect(relay.stats().subscriptions).toBe(20)
  await peer.raw.close()
  await expect.poll(() => relay.stats().subscriptions).toBe(0)
})

test('a thousand counts at once are answered or refused, each once', async () => {
  const peer = await start()
  for (let i = 0; i < 1000; i++) peer.say(['COUNT', `c${i}`, {}])
  const answers = new Map<string, number>()
  for (let i = 0; i < 1000; i++) {
    const [type, sub] = await peer.hear()
    expect(['COUNT', 'CLOSED']).toContain(type)
    answers.set(String(sub), (answers.get(String(sub)) ?? 0) + 1)
  }
  expect(answers.size).toBe(1000)
})

test('line breaks and quotes in a subscription id stay inside its message', async () => {
  const peer = await start()
  const sub = '\n\n"]["EOSE","x\u2028\0'
  expect(await peer.ask(['REQ', sub, {}])).toEqual(['EOSE', sub])
})

test('ten thousand random messages cost no fault and no connection', async () => {
  const peer = await start()
  const seed = Number(process.env.SEED ?? 4253346320)
  let state = seed
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const seeds = [
    event({}),
    ['EVENT', nostr],
    request({ kinds: [1], '#e': ['x'] }),
    ['CLOSE', 'a'],
    ['COUNT', 'a', {}],
    ['AUTH', nostr],
  ]
  const texts = seeds.map((value) => JSON.stringify(value))
  for (let i = 0; i < 10_000; i++) {
    const text = [...texts[random(texts.length)]!]
    for (let n = random(4); n >= 0; n--)
      text.splice(
        random(text.length),
        random(3),
        ['"', '[', ']', '{', '}', ',', '1', '\\', 'é', ''][random(10)]!,
      )
    peer.say(text.join(''))
  }
  peer.say(['REQ', 'the end', {}])
  for (;;) {
    const [type, sub] = await peer.hear()
    if (type === 'EOSE' && sub === 'the end') break
  }
  expect(faults, `SEED=${seed}`).toEqual([])
})
