/** Bombs in messages: depth, names, numbers of things (spec 1.3, 5.4, 7.5, 10.3, 13.2). */
import { connect } from 'node:net'
import { encodeEnvelope, encodeFrame } from '@aetherkit/core'
import { EventStream } from '../../relay/test/http-client.js'
import { clientFrame, RawPeer } from '../../relay/test/raw-peer.js'
import { createAuthor } from '../../relay/test/signing.js'
import { type Bomb, bodyAnswer, head, nativeCodes, nostrCodes } from './bomb.js'
import { codesOfFrames, sharingSubscribe } from './bombs-frames.js'
import type { Scale } from './case.js'
import type { StartedRelay } from './workplace.js'

const author = createAuthor()
const deep = '['.repeat(100_000)
const LONG_ID = 'x'.repeat(64 * 1024)

const subscribe = (filters: string, id = 'a') => `{"type":"subscribe","sub_id":"${id}","filters":${filters}}`
const numbers = (length: number) => `[${Array(length).fill(1).join()}]`
const list = (length: number, item: string) => `[${Array(length).fill(item).join()}]`

/** The same bomb on native JSON, Nostr and HTTP. */
function everywhere(
  done: string,
  must: string,
  bomb: { native: string[]; nostr: string[]; http: string[] },
): Bomb {
  return {
    done: `${done}, native, Nostr, HTTP`,
    must,
    async throwAt({ ports }) {
      const bodies = bomb.http.map((body) =>
        bodyAnswer(ports.http, body.includes('filters') ? '/v1/query' : '/v1/events', body),
      )
      const codes = [
        await nativeCodes(ports.native, bomb.native),
        await nostrCodes(ports.nostr, bomb.nostr),
        await Promise.all(bodies),
      ]
      return codes.join('; ')
    },
  }
}

const withMember = (member: string) => author.text().replace('"kind":1', `"kind":1,${member}`)
const twice = withMember('"kind":2')
const proto = '"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}'
const many = (scale: Scale) => (scale === 'full' ? 10_000 : 300)

export const MESSAGES: readonly Bomb[] = [
  everywhere('100,000 levels of JSON', 'invalid_message; NOTICE invalid_message; 400 invalid_message', {
    native: [deep],
    nostr: [deep],
    http: [deep],
  }),
  everywhere('a key twice in an event', 'invalid_event; OK invalid; 400 invalid_event', {
    native: [`{"type":"publish","event":${twice}}`],
    nostr: [`["EVENT",${twice}]`],
    http: [twice],
  }),
  everywhere('a key twice in a filter', 'invalid_filter; CLOSED invalid; 400 invalid_filter', {
    native: [subscribe('[{"kinds":[1],"kinds":[2]}]')],
    nostr: ['["REQ","a",{"kinds":[1],"kinds":[2]}]'],
    http: ['{"filters":{"kinds":[1],"kinds":[2]}}'],
  }),
  everywhere('__proto__ and constructor in a filter', 'unsupported; CLOSED unsupported; 400 unsupported', {
    native: [subscribe(`[{${proto}}]`)],
    nostr: [`["REQ","a",{${proto}}]`],
    http: [`{"filters":{${proto}}}`],
  }),
  everywhere('10,000 filters', 'limit_exceeded; CLOSED error; 400 limit_exceeded', {
    native: [subscribe(list(10_000, '{}'))],
    nostr: [`["REQ","a",${list(10_000, '{}').slice(1, -1)}]`],
    http: [`{"filters":${list(10_000, '{}')}}`],
  }),
  everywhere('100,000 values in a filter', 'limit_exceeded; CLOSED error; 400 limit_exceeded', {
    native: [subscribe(`[{"kinds":${numbers(100_000)}}]`)],
    nostr: [`["REQ","a",{"kinds":${numbers(100_000)}}]`],
    http: [`{"filters":{"kinds":${numbers(100_000)}}}`],
  }),
  {
    done: 'a subscription id of 64 KiB, native and Nostr',
    must: 'limit_exceeded; NOTICE limit_exceeded',
    async throwAt({ ports }) {
      const native = await nativeCodes(ports.native, [subscribe('[]', LONG_ID)])
      const nostr = await nostrCodes(ports.nostr, [`["REQ","${LONG_ID}",{}]`])
      return `${native}; ${nostr}`
    },
  },
  ...(['native', 'Nostr', 'aether.v2'] as const).map(manySubscriptions),
  {
    done: {
      full: '256 subscriptions of 1 MiB of filters each',
      short: '6 subscriptions of 1 MiB of filters each',
    },
    must: 'limit_exceeded, heap grows by less than 32 MiB',
    throwAt: heavySubscriptions,
  },
  {
    done: { full: '64 forged events of 500 KB at once', short: '16 forged events of 500 KB at once' },
    must: 'refused, heap grows by less than 96 MiB',
    throwAt: heavyForgeries,
  },
  {
    done: 'a frame whose vector shares 500 KB of text 1,000 times',
    must: 'invalid_message',
    throwAt: async ({ ports }) => (await codesOfFrames(ports.native, [sharingSubscribe()])).join(),
  },
  {
    done: 'an envelope of 100,000 levels',
    must: 'invalid_message',
    async throwAt({ ports }) {
      const peer = await RawPeer.connect(ports.native)
      peer.sayBytes(encodeEnvelope(`{"type":"publish","event":${deep}`))
      const { payload } = await peer.hear()
      await peer.close()
      return /"code":"([a-z_]+)"/.exec(payload.toString())?.[1] ?? 'nothing'
    },
  },
  {
    done: 'a batch of 10,000 events',
    must: '400 limit_exceeded',
    throwAt: ({ ports }) => bodyAnswer(ports.http, '/v1/events', list(10_000, '{}')),
  },
  {
    done: {
      full: '1,000 requests at once, their answers unread for a while',
      short: '200 requests at once, their answers unread for a while',
    },
    must: 'an answer to each',
    async throwAt({ ports }, scale) {
      const sent = scale === 'full' ? 1000 : 200
      const requests = head('GET /v1/info').repeat(sent - 1) + head('GET /v1/info', 'Connection: close')
      const socket = connect(ports.http, '127.0.0.1').pause()
      socket.write(requests)
      await new Promise((resolve) => setTimeout(resolve, 300))
      let answers = 0
      let rest = ''
      for await (const chunk of socket) {
        const text = rest + chunk
        answers += text.split('HTTP/1.1 200 OK\r\n').length - 1
        rest = text.slice(text.lastIndexOf('\n') + 1)
      }
      return answers === sent ? 'an answer to each' : `${answers} answers`
    },
  },
  {
    done: 'a subscription id of line breaks and fields on an event stream',
    must: 'one block: id, event, data',
    async throwAt({ ports }) {
      const id = '\n\ndata: x\r\nid: 7\r\revent: gap\u2028'
      const filters = '{"filters":{"kinds":[4242]},"subscription_id":'
      await bodyAnswer(ports.http, '/v1/subscriptions', `${filters}${JSON.stringify(id)}}`)
      const stream = await EventStream.open(
        ports.http,
        `/v1/stream?subscription_id=${encodeURIComponent(id)}`,
      )
      await bodyAnswer(ports.http, '/v1/events', author.text({ kind: 4242, content: '\n\ndata: y\r' }))
      let block = await stream.next()
      while (block?.comment !== undefined) block = await stream.next()
      stream.close()
      return `one block: ${Object.keys(block ?? {}).join(', ')}`
    },
  },
]

function manySubscriptions(surface: 'native' | 'Nostr' | 'aether.v2'): Bomb {
  const kept = { native: 'subscribed', Nostr: 'EOSE', 'aether.v2': 'subscribed' }[surface]
  const refused = { native: 'limit_exceeded', Nostr: 'CLOSED error', 'aether.v2': 'limit_exceeded' }[surface]
  return {
    done: {
      full: `10,000 subscriptions on one connection, ${surface}`,
      short: `300 subscriptions on one connection, ${surface}`,
    },
    must: `256 ${kept}, the rest ${refused}`,
    async throwAt({ ports }, scale) {
      const ids = Array.from({ length: many(scale) }, (_, i) => i)
      const codes =
        surface === 'native'
          ? await nativeCodes(
              ports.native,
              ids.map((i) => subscribe('[{"kinds":[9]}]', `s${i}`)),
            )
          : surface === 'Nostr'
            ? await nostrCodes(
                ports.nostr,
                ids.map((i) => `["REQ","s${i}",{"kinds":[9]}]`),
              )
            : await codesOfFrames(
                ports.native,
                ids.map((sub) => encodeFrame({ type: 'subscribe', sub, filters: [{ kinds: [9] }] })),
              )
      const held = codes.filter((code) => code === kept).length
      const rest = new Set(codes.filter((code) => code !== kept))
      return `${held} ${kept}, the rest ${[...rest].join(' or ')}`
    },
  }
}

/** Each as large as a frame may be; values that no other has, so that nothing is shared. */
async function heavySubscriptions(relay: StartedRelay, scale: Scale): Promise<string> {
  const before = await relay.state()
  const peer = await RawPeer.connect(relay.ports.native)
  let value = 0
  const authors = () => Array.from({ length: 1000 }, () => (value++).toString(16).padStart(28, '0'))
  const codes: string[] = []
  for (let i = 0; i < (scale === 'full' ? 256 : 6); i++) {
    const filters = Array.from({ length: 32 }, () => ({ authors: authors() }))
    const { type, code } = await peer.ask({ type: 'subscribe', sub_id: `s${i}`, filters })
    codes.push(String(type === 'error' ? code : type))
  }
  const growth = (await relay.state()).heap - before.heap
  await peer.close()
  return `${codes.at(-1)}, heap grows by ${growth < 32 * 2 ** 20 ? 'less' : 'more'} than 32 MiB`
}

/** A verdict for each, whatever waits. */
async function heavyForgeries(relay: StartedRelay, scale: Scale): Promise<string> {
  const before = await relay.state()
  const event = author.text({ content: 'x'.repeat(500_000) })
  const forged = event.replace(/"sig":"[0-9a-f]{64}/, `"sig":"${'0'.repeat(64)}`)
  const frame = clientFrame(1, Buffer.from(`{"type":"publish","event":${forged}}`))
  const [peers, each] = scale === 'full' ? [4, 16] : [4, 4]
  const codes = new Set<unknown>()
  let heard = 0
  let halfway = Promise.resolve(before)
  const play = async () => {
    const peer = await RawPeer.connect(relay.ports.native)
    for (let i = 0; i < each; i++) peer.socket.write(frame)
    for (let i = 0; i < each; i++) {
      codes.add((await peer.hearJson()).code)
      // Once: collecting garbage holds up everybody.
      if (++heard === (peers * each) / 2) halfway = relay.state()
    }
    await peer.close()
  }
  await Promise.all(Array.from({ length: peers }, play))
  const isRefused = [...codes].every((code) => code === 'invalid_signature' || code === 'unavailable')
  const growth = (await halfway).heap - before.heap < 96 * 2 ** 20 ? 'less' : 'more'
  return `${isRefused ? 'refused' : [...codes].join()}, heap grows by ${growth} than 96 MiB`
}
