/**
 * Readers that lose their connection again and again while events come, and resume where they were (spec 7.4, 10.4):
 * by cursor over WebSocket, by Last-Event-ID over SSE. Nothing lost, nothing twice, all in order.
 */
import { createClock, generateSecretKey } from '@aetherkit/core'
import { seededRandom } from '@aetherkit/core/testing'
import { ask } from '../../relay/test/http-client.js'
import { createAuthor } from '../../relay/test/signing.js'
import { type Case, type Row, seedOf } from './case.js'
import { count } from './figures.js'
import { type Got, type Line, overStream, overWebSocket } from './lines.js'
import { nativePublisher, offer } from './publishers.js'
import { inWorkplace, type StartedRelay } from './workplace.js'

const SIZES = { full: { events: 20_000, cuts: 200 }, short: { events: 1500, cuts: 30 } } as const
/** The publisher is at most so far ahead of the slowest reader: well within what the relay keeps of ephemeral events. */
const WINDOW = 2000
const BATCH = 100
const [REGULAR, EPHEMERAL, LAST] = [1, 20_001, 2]

export const resume: Case = {
  name: 'resume',
  run: (scale) =>
    inWorkplace(async (place) => {
      const { events, cuts } = SIZES[scale]
      const relay = await place.relay()
      const random = seededRandom(seedOf(scale))
      const cutPoints = () => Array.from({ length: cuts }, () => Math.floor(random() * events)).sort(rising)
      const { epoch } = (await ask(relay.ports.http, 'GET /v1/info')).json
      const body = { filters: {}, subscription_id: 's' }
      await ask(relay.ports.http, 'POST /v1/subscriptions', { body })
      const readers = [
        new Reader('ws by cursor', cutPoints(), (seq) => overWebSocket(relay, `${epoch}-${seq}`)),
        new Reader('SSE by Last-Event-ID', cutPoints(), (seq) => overStream(relay, `${epoch}-${seq}`)),
      ]
      const published = publishAll(relay, readers, { events, random })
      const [acked] = await Promise.all([published, ...readers.map((reader) => reader.readAll())])
      return readers.map((reader) => reader.row(acked))
    }),
}

class Reader {
  readonly #name: string
  /** Numbers of events received, rising, at which the connection is lost. */
  readonly #cuts: readonly number[]
  readonly #connect: (after: bigint) => Promise<Line>
  readonly #got: Got[] = []
  #disconnects = 0
  #gaps = 0

  constructor(name: string, cuts: readonly number[], connect: (after: bigint) => Promise<Line>) {
    this.#name = name
    this.#cuts = cuts
    this.#connect = connect
  }

  get received(): number {
    return this.#got.length
  }

  /** Up to the event of kind {@link LAST}, which is not counted. */
  async readAll(): Promise<void> {
    for (;;) {
      const line = await this.#connect(this.#got.at(-1)?.seq ?? 0n)
      const isOver = await this.#read(line, this.#cuts[this.#disconnects])
      line.cut()
      if (isOver) return
      this.#disconnects++
    }
  }

  /** Against the seq of each event that was acknowledged. */
  row(acked: ReadonlyMap<string, bigint>): Row {
    const ids = new Set(this.#got.map(({ id }) => id))
    const lost = [...acked.keys()].filter((id) => !ids.has(id)).length
    const twice = this.#got.length - ids.size
    const wrong = this.#got.filter(
      ({ id, seq }, i) => acked.get(id) !== seq || seq <= (this.#got[i - 1]?.seq ?? 0n),
    ).length
    return {
      done: `${this.#disconnects} disconnects in ${count(acked.size)} events, ${this.#name}`,
      figure: `${lost} lost, ${twice} twice, ${wrong} out of order, ${this.#gaps} gaps`,
      must: 'all 0',
      isHeld: lost + twice + wrong + this.#gaps === 0 && this.#disconnects === this.#cuts.length,
    }
  }

  /** Whether all was read; false when `cut` events have been received. */
  async #read(line: Line, cut: number | undefined): Promise<boolean> {
    while (this.#got.length !== cut) {
      const next = await line.next()
      if (next === undefined) throw new Error(`the relay ended ${this.#name}`)
      if (next === 'gap') this.#gaps++
      else if (next.id === LAST_ID) return true
      else this.#got.push(next)
    }
    return false
  }
}

const author = createAuthor(generateSecretKey())
const clock = createClock()

/** Resolves to the seq of every event; after them comes the last. */
async function publishAll(
  relay: StartedRelay,
  readers: readonly Reader[],
  { events, random }: { readonly events: number; readonly random: () => number },
): Promise<ReadonlyMap<string, bigint>> {
  const publisher = await nativePublisher(relay)
  const seqs = new Map<string, bigint>()
  try {
    while (seqs.size < events) {
      const ahead = seqs.size - Math.min(...readers.map(({ received }) => received))
      if (ahead > WINDOW) {
        await new Promise(setImmediate)
        continue
      }
      const batch = Array.from({ length: Math.min(BATCH, events - seqs.size) }, () => {
        const kind = random() < 0.3 ? EPHEMERAL : REGULAR
        return offer(author.sign({ kind, content: 'x'.repeat(Math.floor(random() * 500)) }))
      })
      for (const { id, seq, code } of await publisher.publish(batch)) {
        if (seq === undefined) throw new Error(`event ${id} was refused: ${code}`)
        seqs.set(id, seq)
      }
    }
    await publisher.publish([offer(LAST_EVENT)])
    return seqs
  } finally {
    publisher.close()
  }
}

const LAST_EVENT = author.sign({ kind: LAST, createdAt: clock() })
const LAST_ID = LAST_EVENT.id

function rising(a: number, b: number): number {
  return a - b
}
