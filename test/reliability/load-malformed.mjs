/**
 * Child: malformed messages on one surface, seeded: valid ones with bits, bytes and pieces changed, and random bytes.
 * Every answer is read, and told by its code; what no table has is told apart.
 */
import { constants, setPriority } from 'node:os'
import {
  createClock,
  encodeEnvelope,
  encodeFrame,
  generateSecretKey,
  signEvent,
  writeMessage,
} from '@aetherkit/core'
import { seededRandom } from '@aetherkit/core/testing'
import WebSocket from 'ws'
import { answer } from '../bench/load-child.mjs'
import { codeOf, codeOfNostr } from './answer-code.mjs'
import { askBody, sendHead } from './malformed-http.mjs'

// A real attacker has a machine of its own: this one gives way to the relay's threads on that of the test.
setPriority(constants.priority.PRIORITY_LOW)

/** Connections at once, and frames that each sends before it waits until they were read. */
const LANES = 4
const BATCH = 50
/** A connection is left for a new one after so many frames: what it subscribed to ends with it. */
const FRAMES_PER_CONNECTION = 1000

const filters = [{ kinds: [9], tags: [{ key: 't', any: ['a', 'b'] }], since: 5n, limit: 3 }]
const noise = { required: true, pubkey: '09'.padEnd(64, '0') }
const event = signEvent(
  {
    kind: 9,
    content: 'fuzz',
    tags: [
      ['t', 'a', 'b'],
      ['d', ''],
    ],
    createdAt: createClock()(),
  },
  generateSecretKey(),
)
const hello = (formats, rest) =>
  writeMessage({ type: 'hello', version: 1, formats, noise, features: [], ...rest })
const publish = writeMessage({ type: 'publish', event })
const subscribe = writeMessage({ type: 'subscribe', subId: 'a', filters, after: 'aaaaaaaaaaaaaaaa-5' })
const rawFilter = '{"tags":{"t":["x"]},"#p":["y"],"authors":["ab"],"pubkey_prefixes":[],"kinds":[9]}'
const texts = [
  publish,
  publish,
  subscribe,
  `{"type":"subscribe","sub_id":"b","filters":[${rawFilter}]}`,
  writeMessage({ type: 'unsubscribe', subId: 'a' }),
  hello(['json', 'flatbuffers'], { noise: { required: false }, features: ['eose'] }),
  hello(['json']),
  hello(['aether.v2', 'json'], { features: ['noise-xx'] }),
  writeMessage({ type: 'noise', payload: new Uint8Array(40) }),
]
const eventText = publish.slice(publish.indexOf('"event":') + 8, -1)
const nostr = [
  `["EVENT",${eventText}]`,
  `["REQ","a",${rawFilter}]`,
  '["CLOSE","a"]',
  `["COUNT","a",${rawFilter}]`,
  `["AUTH",${eventText}]`,
]
const get = (path, ...more) => [`GET ${path} HTTP/1.1`, 'Host: relay', ...more, '', ''].join('\r\n')
const SOURCES = {
  json: texts,
  envelope: texts.map((text) => encodeEnvelope(text)),
  frame: [
    encodeFrame({ type: 'hello', version: 1, features: ['base64'] }),
    encodeFrame({ type: 'publish', event }),
    encodeFrame({ type: 'subscribe', sub: 1, filters, after: 'aaaaaaaaaaaaaaaa-5' }),
    encodeFrame({ type: 'unsubscribe', sub: 1 }),
    encodeFrame({ type: 'deliver', subs: [1], seq: 1n, stored: true, event }),
    encodeFrame({ type: 'auth', event }),
  ],
  nostr,
  body: [
    eventText,
    `[${eventText}]`,
    `{"event":${eventText}}`,
    `{"filters":${rawFilter},"subscription_id":"a"}`,
  ],
  head: [
    get('/v1/info', 'Accept: */*', 'Connection: keep-alive'),
    get('/v1/query?kinds=9&limit=3&authors=ab,cd', 'Accept-Encoding: gzip'),
    get(`/v1/events/${event.id}`, 'Origin: http://a.example', 'Connection: close'),
    get(
      '/v1/ws',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${'A'.repeat(22)}==`,
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    ),
    `POST /v1/events HTTP/1.1\r\nHost: relay\r\nContent-Length: ${eventText.length}\r\n\r\n${eventText}`,
    `POST /v1/query HTTP/1.1\r\nHost: relay\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nX: y\r\n\r\n`,
  ],
}
const PATHS = ['/v1/events', '/v1/query', '/v1/subscriptions']
const PIECES = ['"', '{', '[', '\\u0000', '9', 'é', '\r\n', ':', '__proto__', '1e400'].map((piece) =>
  Buffer.from(piece),
)
const BYTES = [0, 0xff, 0x7b, 0x22, 0x5c, 0x80, 0x0d, 0x0a]

answer({
  async attack({ surface, port, count, seed }) {
    const random = seededRandom(seed)
    const sources = SOURCES[surface].map((source) => Buffer.from(source))
    const tally = { judged: 0, connections: 0, codes: {}, strange: [] }
    const next = () => malformed(sources, random)
    const lane =
      surface === 'body'
        ? () => sendBodies(port, count, next, random, tally)
        : surface === 'head'
          ? () => sendHeads(port, count, next, tally)
          : () => sendFrames(surface, port, count, next, random, tally)
    await Promise.all(Array.from({ length: LANES }, lane))
    return tally
  },
})

function malformed(sources, random) {
  const below = (n) => Math.floor(random() * n)
  if (below(10) === 0) return Buffer.from(Array.from({ length: 1 + below(200) }, () => below(256)))
  const source = sources[below(sources.length)]
  for (;;) {
    let bytes = Buffer.from(source)
    for (let times = 1 + below(4); times > 0; times--) bytes = mutate(bytes, below)
    if (!bytes.equals(source)) return bytes
  }
}

function mutate(bytes, below) {
  const at = below(bytes.length + 1)
  switch (below(6)) {
    case 0:
      if (at < bytes.length) bytes[at] ^= 1 << below(8)
      return bytes
    case 1:
      if (at < bytes.length) bytes[at] = BYTES[below(BYTES.length)]
      return bytes
    case 2:
      return bytes.subarray(0, at)
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(below(at + 1))])
    case 4:
      if (at + 4 <= bytes.length) bytes.writeUInt32LE([0, 0xffffffff, 0x7fffffff, bytes.length][below(4)], at)
      return bytes
    default:
      return Buffer.concat([bytes.subarray(0, at), PIECES[below(PIECES.length)], bytes.subarray(at)])
  }
}

function note(tally, { code, isKnown }, sample) {
  tally.codes[code] = (tally.codes[code] ?? 0) + 1
  if (!isKnown && tally.strange.length < 10) tally.strange.push(`${code}: ${String(sample).slice(0, 200)}`)
}

/** Frames that were sent and not read before the connection closed do not count. */
async function sendFrames(surface, port, count, next, random, tally) {
  while (tally.judged < count) {
    const socket = await open(port, surface === 'frame' ? ['aether.v2'] : [])
    tally.connections++
    let answers = 0
    let isSealed = false
    let goOn = () => {}
    socket.on('pong', () => goOn('read'))
    const closed = new Promise((resolve) => {
      socket.on('close', (code) => {
        note(tally, { code: `closed ${code}`, isKnown: CLOSES.has(code) }, '')
        goOn('closed')
        resolve()
      })
    })
    socket.on('message', (data, isBinary) => {
      // Behind noise only its own two ends can read.
      if (isSealed) return
      const told = surface === 'nostr' ? codeOfNostr(data) : codeOf(data, isBinary)
      isSealed = told.isSealed === true
      if (told.isAnswer) answers++
      note(tally, told, data)
    })
    for (let sent = 0; sent < FRAMES_PER_CONNECTION && tally.judged < count && !isSealed; sent += BATCH) {
      answers = 0
      for (let i = 0; i < BATCH && socket.readyState === WebSocket.OPEN; i++) {
        const bytes = next()
        const isText = (surface === 'json' || surface === 'nostr') && random() < 0.9
        // What is no UTF-8 ends the connection: now and then is enough.
        socket.send(isText && random() < 0.999 ? bytes.toString() : bytes, { binary: !isText })
      }
      const outcome = await new Promise((resolve) => {
        goOn = resolve
        if (socket.readyState === WebSocket.OPEN) socket.ping()
        else resolve('closed')
      })
      tally.judged += outcome === 'read' ? BATCH : Math.min(answers, BATCH)
      if (outcome === 'closed') break
    }
    socket.close()
    await closed
  }
}

/** 1000 and 1005: what we said ourselves. 1002 and 1007: broken framing and broken content. */
const CLOSES = new Set([1000, 1005, 1002, 1007, 1008])

function open(port, protocols) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, protocols, { perMessageDeflate: false })
    socket.once('error', reject)
    socket.once('open', () => {
      socket.off('error', reject)
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}

async function sendBodies(port, count, next, random, tally) {
  while (tally.judged < count) {
    tally.judged++
    const path = PATHS[Math.floor(random() * PATHS.length)]
    note(tally, await askBody(port, path, next()), path)
  }
}

async function sendHeads(port, count, next, tally) {
  while (tally.judged < count) {
    tally.judged++
    const bytes = next()
    note(tally, await sendHead(port, bytes), JSON.stringify(bytes.toString('latin1')))
  }
}
