/** Connections that never get to the point (spec 7.5, 10.2): the relay ends each of them, and serves others meanwhile. */
import { connect, type Socket } from 'node:net'
import { head } from './bomb.js'
import type { Row, Scale } from './case.js'
import { count } from './figures.js'
import { openFileLimit } from './open-files.js'
import type { Ports, StartedRelay } from './workplace.js'

interface Slow {
  readonly done: string
  readonly port: keyof Ports
  readonly first: string
  /** Said again and again; absent: nothing more. */
  readonly drip?: string
  readonly limit: keyof typeof SHORT_LIMITS
  /** Of each thousand. */
  readonly share: number
}

/** What the relay is configured with at short scale; at full scale it has its defaults. Milliseconds. */
export const SHORT_LIMITS = { headersMs: 3000, bodyMs: 3000, firstMessageMs: 4000 }
const FULL_LIMITS = { headersMs: 8_000, bodyMs: 30_000, firstMessageMs: 60_000 }
const DRIP_MS = 250
/** Without an answer to it the relay would wait half a minute for one. */
const CLOSE_FRAME = 0x88
/** Beside these connections a process needs so many files. */
const SPARE_FILES = 500
/** The relay looks once a second; a busy machine may take its time. */
const LATE_MS = 10_000
const GIVE_UP_MS = 60_000

const key = `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`
const upgrade = head('GET /', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', key)

const SLOW: readonly Slow[] = [
  { done: 'native connections that say nothing', port: 'native', first: '', limit: 'headersMs', share: 1000 },
  { done: 'Nostr connections that say nothing', port: 'nostr', first: '', limit: 'headersMs', share: 500 },
  {
    ...{ done: 'upgrades without their last line', port: 'native', limit: 'headersMs', share: 1000 },
    first: upgrade.slice(0, -2),
  },
  {
    ...{ done: 'HTTP headers in drips', port: 'http', limit: 'headersMs', share: 1000 },
    ...{ first: 'GET /v1/info HTTP/1.1\r\nHost: relay\r\n', drip: 'x: y\r\n' },
  },
  {
    ...{ done: 'HTTP bodies in drips', port: 'http', limit: 'bodyMs', share: 500 },
    ...{ first: head('POST /v1/events', 'Content-Length: 100000'), drip: ' ' },
  },
  {
    ...{ done: 'upgraded connections that say nothing', port: 'native', limit: 'firstMessageMs', share: 500 },
    first: upgrade,
  },
]

/** All kinds at once. */
export function slowHandshakes(relay: StartedRelay, scale: Scale): Promise<readonly Row[]> {
  const shares = SLOW.reduce((sum, { share }) => sum + share, 0)
  const allowed = Math.max(0, openFileLimit() - SPARE_FILES) / shares
  const times = Math.min(scale === 'full' ? 1 : 0.02, allowed)
  return Promise.all(
    SLOW.map((slow) => play(slow, relay, Math.max(1, Math.floor(slow.share * times)), scale)),
  )
}

async function play(slow: Slow, { ports }: StartedRelay, wanted: number, scale: Scale): Promise<Row> {
  const limitMs = (scale === 'full' ? FULL_LIMITS : SHORT_LIMITS)[slow.limit]
  const open = new Set<Socket>()
  const drips = setInterval(() => {
    if (slow.drip !== undefined) for (const socket of open) socket.write(slow.drip)
  }, DRIP_MS)
  const ended: Promise<void>[] = []
  for (let i = 0; i < wanted; i++) {
    const socket = connect(ports[slow.port], '127.0.0.1')
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        open.delete(socket)
        resolve()
      })
    })
    open.add(socket)
    ended.push(closed)
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      if (bytes[0] === CLOSE_FRAME) socket.destroy()
    })
    // One after the other: a full backlog of the kernel would keep some from the relay.
    await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), closed])
    socket.write(slow.first)
  }
  const begun = performance.now()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs + GIVE_UP_MS)
  })
  await Promise.race([Promise.all(ended), late])
  clearTimeout(timer)
  clearInterval(drips)
  const seconds = (performance.now() - begun) / 1000
  const left = open.size
  for (const socket of open) socket.destroy()
  return {
    done: `${count(wanted)} ${slow.done}`,
    figure: `${count(wanted - left)} ended by the relay, the last after ${seconds.toFixed(1)} s`,
    must: `all, limit ${limitMs / 1000} s`,
    isHeld: left === 0 && (scale === 'short' || seconds * 1000 <= limitMs + LATE_MS),
  }
}
