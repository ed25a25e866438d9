/** Bombs in what comes before any message: HTTP headers, extensions, RFC 6455 framing (spec 7.5, 13.2, 13.3). */

import { connect } from 'node:net'
import { deflateRawSync } from 'node:zlib'
import { clientFrame } from '../../relay/test/raw-peer.js'
import { type Bomb, closeAfter, head, httpAnswer, upgradeAnswer } from './bomb.js'
import type { Scale } from './case.js'
import type { StartedRelay } from './workplace.js'

const FINAL = 0x80
const COMPRESSED = 0x40
const [CONTINUATION, TEXT, BINARY, PING] = [0, 1, 2, 9]
const TEN_MIB = 10 * 2 ** 20

const everywhere = async ({ ports }: StartedRelay, ask: (port: number) => Promise<string>) =>
  (await Promise.all([ports.native, ports.nostr, ports.http].map(ask))).join(', ')

const many = (count: number) => Array.from({ length: count }, (_, i) => `x${i}: 1`)

/** A frame that says it has so many bytes, and has none. */
function announced(bytes: bigint): Buffer {
  const frame = Buffer.alloc(14)
  frame[0] = FINAL | BINARY
  frame[1] = 0x80 | 127
  frame.writeBigUInt64BE(bytes, 2)
  return frame
}

/** Header lines until somebody ends it; gives up at 64 MiB. */
function endlessHeaders(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let sent = 0
    socket.on('error', () => {}).resume()
    socket.on('close', () => resolve(sent < 64 * 2 ** 20 ? 'closed' : 'read on'))
    socket.write('GET / HTTP/1.1\r\nHost: relay\r\n')
    const lines = Buffer.from('x-a: b\r\n'.repeat(1000))
    const more = (error?: Error | null) => {
      if (error || socket.destroyed) return
      sent += lines.length
      if (sent >= 64 * 2 ** 20) socket.destroy()
      else socket.write(lines, more)
    }
    more()
  })
}

export const FRAMING: readonly Bomb[] = [
  {
    done: '2,000 headers in an upgrade, on three ports',
    must: '431, 431, 431',
    throwAt: (relay) => everywhere(relay, (port) => upgradeAnswer(port, many(2000))),
  },
  {
    done: 'a header of 32 KiB in an upgrade, on three ports',
    must: '431, 431, 431',
    throwAt: (relay) => everywhere(relay, (port) => upgradeAnswer(port, [`x: ${'y'.repeat(32_768)}`])),
  },
  {
    done: 'headers without end, on three ports',
    must: 'closed, closed, closed',
    throwAt: (relay) => everywhere(relay, endlessHeaders),
  },
  {
    done: '8 KiB of blanks in Sec-WebSocket-Protocol',
    must: '400',
    throwAt: ({ ports }) => upgradeAnswer(ports.native, [`Sec-WebSocket-Protocol: a${' '.repeat(8192)}b`]),
  },
  {
    done: 'extensions named constructor, __proto__, hasOwnProperty',
    must: '101',
    throwAt: ({ ports }) =>
      upgradeAnswer(ports.native, [
        'Sec-WebSocket-Extensions: constructor, __proto__; toString, hasOwnProperty; a=b',
      ]),
  },
  {
    done: '800 offers of permessage-deflate, on three ports',
    must: '101, 101, 101',
    throwAt: (relay) =>
      everywhere(relay, (port) =>
        upgradeAnswer(port, [`Sec-WebSocket-Extensions: ${Array(800).fill('permessage-deflate').join(',')}`]),
      ),
  },
  {
    done: '10 MiB deflated to 10 KiB in a compressed frame',
    must: 'closed 1002',
    throwAt: ({ ports }) =>
      closeAfter(ports.native, (peer) =>
        peer.frame(TEXT, deflateRawSync(Buffer.alloc(TEN_MIB)), FINAL | COMPRESSED | TEXT),
      ),
  },
  ...[40n, 63n].map((power) => ({
    done: `a frame that announces 2^${power} bytes`,
    must: 'closed 1009',
    throwAt: ({ ports }: StartedRelay) =>
      closeAfter(ports.native, (peer) => peer.socket.write(announced(2n ** power))),
  })),
  {
    done: 'a frame of 10 MiB',
    must: 'closed',
    throwAt: async ({ ports }) =>
      // A relay that closes with most of it unread may cut its own last words off.
      (await closeAfter(ports.native, (peer) => peer.frame(BINARY, Buffer.alloc(TEN_MIB)))).replace(
        / \d+$/,
        '',
      ),
  },
  {
    done: 'fragments of 64 KiB without end',
    must: 'closed 1009',
    throwAt: ({ ports }) =>
      closeAfter(ports.native, (peer) => {
        peer.frame(BINARY, Buffer.alloc(0x10000), BINARY)
        for (let i = 0; i < 16; i++) peer.frame(CONTINUATION, Buffer.alloc(0x10000), CONTINUATION)
      }),
  },
  ...[1, 0].map((bytes) => ({
    done: `16,385 fragments of ${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`,
    must: 'closed 1008',
    throwAt: ({ ports }: StartedRelay) =>
      closeAfter(ports.native, (peer) => {
        peer.frame(BINARY, Buffer.alloc(bytes), BINARY)
        const fragment = clientFrame(CONTINUATION, Buffer.alloc(bytes), CONTINUATION)
        peer.socket.write(Buffer.concat(Array<Buffer>(16_384).fill(fragment)))
      }),
  })),
  {
    done: 'a ping of 126 bytes; one in fragments',
    must: 'closed 1002, closed 1002',
    throwAt: async ({ ports }) =>
      [
        await closeAfter(ports.native, (peer) => peer.frame(PING, Buffer.alloc(126))),
        await closeAfter(ports.native, (peer) => peer.frame(PING, Buffer.alloc(1), PING)),
      ].join(', '),
  },
  {
    done: {
      full: '200,000 pings of a peer that reads nothing',
      short: '20,000 pings of a peer that reads nothing',
    },
    must: 'heap grows by less than 8 MiB',
    throwAt: unreadPings,
  },
  {
    done: 'a body that announces 1 GiB; one in chunks without end',
    must: '413 too_large, 413 too_large',
    throwAt: async ({ ports }) => {
      const chunk = Buffer.from(`10000\r\n${' '.repeat(0x10000)}\r\n`)
      const chunks = Array<Buffer>(17).fill(chunk)
      return [
        await httpAnswer(ports.http, head('POST /v1/events', 'Content-Length: 1073741824')),
        await httpAnswer(ports.http, head('POST /v1/events', 'Transfer-Encoding: chunked'), ...chunks),
      ].join(', ')
    },
  },
  {
    done: 'a chunk extension of 64 KiB',
    must: '431 too_large',
    throwAt: ({ ports }) =>
      httpAnswer(
        ports.http,
        head('POST /v1/events', 'Transfer-Encoding: chunked'),
        `1;${'a'.repeat(0x10000)}`,
      ),
  },
  {
    done: 'a body of 10 MiB in gzip; one in deflate',
    must: '415 unsupported_media_type, 415 unsupported_media_type',
    throwAt: async ({ ports }) => {
      const body = deflateRawSync(Buffer.alloc(TEN_MIB))
      const answers = ['gzip', 'deflate'].map((encoding) =>
        httpAnswer(
          ports.http,
          head(
            'POST /v1/events',
            `Content-Encoding: ${encoding}`,
            `Content-Length: ${body.length}`,
            'Connection: close',
          ),
          body,
        ),
      )
      return (await Promise.all(answers)).join(', ')
    },
  },
]

async function unreadPings(relay: StartedRelay, scale: Scale): Promise<string> {
  const before = await relay.state()
  const socket = connect(relay.ports.native, '127.0.0.1')
  socket.on('error', () => {}).pause()
  const key = Buffer.alloc(16).toString('base64')
  const lines = [
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
  ]
  socket.write(head('GET /', ...lines))
  const pings = Buffer.concat(Array<Buffer>(1000).fill(clientFrame(PING, Buffer.alloc(125))))
  for (let i = 0; i < (scale === 'full' ? 200 : 20); i++) {
    // Where the relay stops reading, what is left waits here.
    const taken = await Promise.race([
      new Promise((resolve) => socket.write(pings, () => resolve(true))),
      new Promise((resolve) => setTimeout(() => resolve(false), 1000)),
    ])
    if (taken === false || socket.destroyed) break
  }
  const after = await relay.state()
  socket.destroy()
  const growth = after.heap - before.heap
  return `heap grows by ${growth < 8 * 2 ** 20 ? 'less' : 'more'} than 8 MiB`
}
