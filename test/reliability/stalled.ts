/**
 * One subscriber that reads nothing among many that read (spec 7.3): the others lose nothing, it is cut with a reason,
 * and what the relay holds for it is bounded.
 */
import {
  createClock,
  decodeFrame,
  type Event,
  encodeFrame,
  type Frame,
  generateSecretKey,
  signEvent,
} from '@aetherkit/core'
import { WebSocket } from 'ws'
import { RawPeer } from '../../relay/test/raw-peer.js'
import type { Case } from './case.js'
import { count, mebibytes } from './figures.js'
import { until, within } from './patience.js'
import { inWorkplace, type StartedRelay } from './workplace.js'

const SIZES = { full: { readers: 100, events: 20_000 }, short: { readers: 10, events: 4000 } } as const
const CONTENT_BYTES = 4096
const KIND = 1
/** The publisher is at most so far ahead of the slowest that reads: all of them share a processor or two. */
const WINDOW = 256
/** What every outbox may hold, and the relay beside it. */
const MOST_MEMORY = (readers: number) => (readers + 1) * (4 << 20) + (400 << 20)

export const stalled: Case = {
  name: 'stalled',
  run: (scale) =>
    inWorkplace(async (place) => {
      const { readers: size, events } = SIZES[scale]
      const relay = await place.relay()
      const idle = await relay.peak()
      const readers = new Readers(size)
      try {
        await readers.open(relay)
        const peer = await stalledPeer(relay)
        // Who is cut and does not read on is let go of without a word after half a minute.
        const isCut = until(() => relay.lines('slow_consumer').length > 0)
        void isCut.then(() => peer.socket.resume())
        const sent = await publishAll(relay, readers, events)
        const peak = await relay.peak()
        const { code, reason } = await within(peer.closed, 'close of the stalled reader')
        const { received, wrong } = readers
        return [
          {
            done: `${size} readers, 1 stalled, ${count(events)} events of 4 KiB: received`,
            figure: `${count(received)} of ${count(size * events)}, ${wrong} wrong or out of order`,
            must: 'all, 0',
            isHeld: received === size * events && wrong === 0 && sent === events,
          },
          {
            done: 'the stalled one',
            figure: `cut with ${code} ${reason} after ${count(peer.heard.length)} events`,
            must: '1013 slow_consumer',
            isHeld: code === 1013 && reason === 'slow_consumer' && (await isCut),
          },
          {
            done: 'readers cut',
            figure: `${readers.cut}`,
            must: '0',
            isHeld: readers.cut === 0,
          },
          {
            done: "the relay's memory",
            figure: `${mebibytes(idle)} idle, ${mebibytes(peak)} at its peak`,
            must: `< ${mebibytes(MOST_MEMORY(size))}`,
            isHeld: peak < MOST_MEMORY(size),
          },
        ]
      } finally {
        readers.close()
      }
    }),
}

/**
 * Sockets that count what comes. A live frame is the same bytes for all (spec 5.3): who has it first decodes it and
 * looks whether it is the event whose turn it is, the others compare bytes.
 */
class Readers {
  received = 0
  wrong = 0
  cut = 0
  /** Ids of what was published, in order of publishing, which is that of one connection. */
  readonly expected: string[] = []
  readonly #sockets: WebSocket[] = []
  readonly #frames: Buffer[] = []
  readonly #counts: number[]
  #wake = () => {}
  #isClosing = false

  constructor(size: number) {
    this.#counts = Array.from({ length: size }, () => 0)
  }

  get slowest(): number {
    return Math.min(...this.#counts)
  }

  async open({ ports }: StartedRelay): Promise<void> {
    for (const reader of this.#counts.keys()) {
      const socket = await connect(ports.native)
      this.#sockets.push(socket)
      socket.on('message', (data: Buffer) => this.#take(reader, data))
      socket.on('close', () => {
        if (!this.#isClosing) this.cut++
        this.wake()
      })
    }
  }

  /** Resolves at the next {@link wake}: when something came, or somebody went. */
  news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  wake(): void {
    this.#wake()
  }

  close(): void {
    this.#isClosing = true
    for (const socket of this.#sockets) socket.terminate()
  }

  #take(reader: number, data: Buffer): void {
    const at = this.#counts[reader]!++
    const known = this.#frames[at]
    if (known === undefined) {
      this.#frames[at] = data
      const read = decodeFrame(data)
      const isRight = read.ok && read.frame.type === 'deliver' && read.frame.event.id === this.expected[at]
      if (!isRight) this.wrong++
    } else if (!known.equals(data)) this.wrong++
    this.received++
    this.wake()
  }
}

/** Subscribes, and reads no more. */
async function stalledPeer({ ports }: StartedRelay): Promise<RawPeer> {
  const peer = await RawPeer.connect(ports.native)
  await peer.ask({ type: 'subscribe', sub_id: 's', filters: [{ kinds: [KIND] }] })
  peer.socket.pause()
  return peer
}

/** Resolves to the number of acks, when all have been received by the readers or one was cut. */
async function publishAll({ ports }: StartedRelay, readers: Readers, events: number): Promise<number> {
  const socket = await connect(ports.native, false)
  let acked = 0
  let refused = ''
  socket.on('message', (data: Buffer) => {
    const read = decodeFrame(data)
    if (read.ok && read.frame.type === 'accepted') acked++
    else refused = read.ok ? `${read.frame.type} instead of an ack` : read.error
    readers.wake()
  })
  const sign = signer()
  try {
    while (readers.slowest < events || acked < events) {
      if (refused !== '') throw new Error(refused)
      if (readers.cut > 0 || socket.readyState !== WebSocket.OPEN) break
      const to = Math.min(events, Math.min(readers.slowest, acked) + WINDOW)
      while (readers.expected.length < to) {
        const event = sign()
        readers.expected.push(event.id)
        socket.send(encodeFrame({ type: 'publish', event }))
      }
      await within(readers.news(), 'delivery or ack')
    }
    return acked
  } finally {
    socket.terminate()
  }
}

/** A peer that speaks `aether.v2`, subscribed unless it is to publish. */
async function connect(port: number, isReader = true): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, 'aether.v2')
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const ask = (frame: Frame) =>
    new Promise((resolve, reject) => {
      socket.once('message', resolve).once('close', (code) => reject(new Error(`closed with ${code}`)))
      socket.send(encodeFrame(frame))
    })
  await ask({ type: 'hello', version: 1, features: [] })
  if (isReader) await ask({ type: 'subscribe', sub: 1, filters: [{ kinds: [KIND] }] })
  return socket
}

function signer(): () => Event {
  const key = generateSecretKey()
  const clock = createClock()
  const filler = 'x'.repeat(CONTENT_BYTES)
  let number = 0
  return () => {
    const content = `${++number} ${filler}`.slice(0, CONTENT_BYTES)
    return signEvent({ kind: KIND, content, createdAt: clock() }, key)
  }
}
