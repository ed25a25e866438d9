/** Connections that a step of the relay's clock must not hurt. */
import { ask, EventStream } from '../../relay/test/http-client.js'
import { RawPeer } from '../../relay/test/raw-peer.js'
import type { Row } from './case.js'
import { count } from './figures.js'
import type { Got, Line } from './lines.js'
import { until } from './patience.js'
import type { StartedRelay } from './workplace.js'

/** Connections that say nothing: those of each surface that the relay must keep alive by itself. */
export class IdlePeers {
  #looks = 0
  #beats = 0
  readonly #peers: readonly RawPeer[]
  readonly #stream: EventStream
  #isOpen = true

  private constructor(peers: readonly RawPeer[], stream: EventStream) {
    this.#peers = peers
    this.#stream = stream
    for (const lost of [...peers.map(({ closed }) => closed), stream.closed])
      void lost.then(() => {
        this.#isOpen = false
      })
  }

  static async open(relay: StartedRelay): Promise<IdlePeers> {
    const native = await RawPeer.connect(relay.ports.native)
    await native.ask({ type: 'hello', version: 1, formats: ['json'], noise: { required: false } })
    const nostr = await RawPeer.connect(relay.ports.nostr)
    const web = await RawPeer.connect(relay.ports.http, { path: '/v1/ws' })
    for (const peer of [nostr, web]) peer.say('{}')
    const body = { filters: { kinds: [9999] }, subscription_id: 'idle' }
    await ask(relay.ports.http, 'POST /v1/subscriptions', { body })
    const stream = await EventStream.open(relay.ports.http, '/v1/stream?subscription_id=idle')
    return new IdlePeers([native, nostr, web], stream)
  }

  /** Waits until each was pinged, and the stream has had its heartbeat, twice more. */
  async beat(): Promise<void> {
    this.#looks++
    const counts = () => [...this.#peers.map(({ pings }) => pings), this.#stream.blocks.length]
    const before = counts()
    const isAlive = () => !this.#isOpen || counts().every((now, i) => now >= (before[i] ?? 0) + 2)
    if ((await until(isAlive)) && this.#isOpen) this.#beats++
  }

  row(): Row {
    return {
      done: '  idle: ws, Nostr, /v1/ws, SSE',
      figure: `${this.#isOpen ? 'all open' : 'closed'}, pings and heartbeats go on after ${this.#beats} of ${this.#looks}`,
      must: 'all',
      isHeld: this.#isOpen && this.#beats === this.#looks,
    }
  }

  close(): void {
    for (const { socket } of this.#peers) socket.destroy()
    this.#stream.close()
  }
}

/** A reader that breaks off again and again, and resumes. */
export class Follower {
  readonly #name: string
  readonly #open: (after: bigint) => Promise<Line>
  readonly #got: Got[] = []
  #line: Line
  #cuts = 0
  #gaps = 0

  private constructor(name: string, open: (after: bigint) => Promise<Line>, line: Line) {
    this.#name = name
    this.#open = open
    this.#line = line
  }

  /** `connect`: with everything above a seq. */
  static async open(name: string, connect: (after: bigint) => Promise<Line>): Promise<Follower> {
    return new Follower(name, connect, await connect(0n))
  }

  /** Reads until it has had so many events in all, then breaks off and comes back. */
  async follow(events: number): Promise<void> {
    while (this.#got.length < events) {
      const next = await this.#line.next()
      if (next === undefined) throw new Error(`the relay ended ${this.#name}`)
      if (next === 'gap') this.#gaps++
      else this.#got.push(next)
    }
    this.#line.cut()
    this.#cuts++
    this.#line = await this.#open(this.#got.at(-1)?.seq ?? 0n)
  }

  row(taken: ReadonlySet<string>): Row {
    const ids = new Set(this.#got.map(({ id }) => id))
    const lost = [...taken].filter((id) => !ids.has(id)).length
    const twice = this.#got.length - ids.size
    const wrong = this.#got.filter(({ seq }, i) => seq <= (this.#got[i - 1]?.seq ?? 0n)).length
    return {
      done: `  ${this.#name}, resumed after each step`,
      figure: `${count(taken.size)}: ${lost} lost, ${twice} twice, ${wrong} out of order, ${this.#gaps} gaps`,
      must: 'all 0',
      isHeld: lost + twice + wrong + this.#gaps === 0 && this.#cuts > 0,
    }
  }

  close(): void {
    this.#line.cut()
  }
}
