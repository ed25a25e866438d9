/**
 * kill -9 in a publish storm over all surfaces at once (spec 2.3, 2.4): what was acknowledged is there or lawfully
 * replaced, no seq is handed out twice, and every restart opens.
 */
import {
  createClock,
  type Event,
  generateSecretKey,
  isJsonObject,
  readEvent,
  replaceKey,
  signEvent,
  supersedes,
} from '@aetherkit/core'
import { type Random, seededRandom } from '@aetherkit/core/testing'
import { signNostr } from '../../relay/test/nostr-client.js'
import { RawPeer } from '../../relay/test/raw-peer.js'
import { type Case, type Row, type Scale, seedOf } from './case.js'
import { count, milliseconds } from './figures.js'
import {
  httpPublisher,
  nativePublisher,
  nostrPublisher,
  offer,
  type Publisher,
  request,
  type Verdict,
} from './publishers.js'
import { inWorkplace, type StartedRelay, type Workplace } from './workplace.js'

const KILLS = { full: { lmdb: 50, sqlite: 10 }, short: { lmdb: 2, sqlite: 1 } } as const
/** Acknowledgements of a round, at most, before its kill. */
const MOST_ACKS = 900
const REGULAR = 1
const REPLACEABLE = [10_001, 30_001] as const
const EPHEMERAL = 20_001
/** Ids a query may name. */
const IDS = 500

export const kill: Case = {
  name: 'kill',
  run: async (scale) => [
    ...(await inWorkplace((place) => storm(place, 'lmdb', scale))),
    ...(await inWorkplace((place) => storm(place, 'sqlite', scale))),
  ],
}

/** What was acknowledged. */
class Ledger {
  /** Stored events that nothing replaces. */
  readonly regular = new Set<string>()
  /** Genuine Nostr events. */
  readonly nostr = new Set<string>()
  /** The winner of each replaceable key. */
  readonly best = new Map<string, Event>()
  /** Whose each seq is, and who got one that was another's. */
  readonly seqs = new Map<bigint, string>()
  readonly twice: string[] = []
  acked = 0

  settled(event: Event | undefined, { id, isTaken, status, seq, code }: Verdict): void {
    if (!isTaken) throw new Error(`event ${id} was refused: ${code}`)
    this.acked++
    // A seq of a duplicate or superseded event is that of another.
    if (seq !== undefined && (status === 'stored' || status === 'forwarded')) this.seen(seq, id)
    if (event === undefined) this.nostr.add(id)
    else if (event.kind === REGULAR) this.regular.add(id)
    else if (event.kind !== EPHEMERAL) {
      const key = replaceKey(event) ?? ''
      const known = this.best.get(key)
      if (known === undefined || supersedes(event, known)) this.best.set(key, event)
    }
  }

  seen(seq: bigint, id: string): void {
    if ((this.seqs.get(seq) ?? id) !== id) this.twice.push(`${seq}: ${this.seqs.get(seq)} and ${id}`)
    this.seqs.set(seq, id)
  }
}

async function storm(place: Workplace, storage: 'lmdb' | 'sqlite', scale: Scale): Promise<readonly Row[]> {
  const random = seededRandom(seedOf(scale))
  const kills = KILLS[scale][storage]
  const path = `${place.folder()}/data`
  const ledger = new Ledger()
  const next = eventsOf(random)
  const restarts: number[] = []
  const lost: string[] = []
  let epoch: string | undefined
  for (let round = 0; round <= kills; round++) {
    const relay = await place.relay({ storage, path })
    if (round > 0) restarts.push(relay.startMs)
    const said = await lookFor(ledger, relay)
    epoch ??= said.epoch
    if (said.epoch !== epoch) lost.push('the epoch')
    lost.push(...said.lost)
    if (round < kills) await publishUntilKilled(relay, ledger, next, 1 + Math.floor(random() * MOST_ACKS))
    else await relay.end()
  }
  const what = `${kills} kill -9 in a storm over ws, HTTP and Nostr, ${storage}`
  const median = restarts.toSorted((a, b) => a - b)[restarts.length >> 1] ?? 0
  return [
    {
      done: what,
      figure: `${count(ledger.acked)} acked, ${lost.length === 0 ? 0 : lost.slice(0, 3).join(', ')} lost`,
      must: '0 lost',
      isHeld: lost.length === 0 && ledger.acked >= kills,
    },
    {
      done: 'seqs of acks and of what is stored',
      figure: `${count(ledger.seqs.size)}, ${ledger.twice[0] ?? 0} twice`,
      must: '0 twice',
      isHeld: ledger.twice.length === 0,
    },
    {
      done: 'restarts, until it listens',
      figure: `${restarts.length} of ${kills} opened, median ${milliseconds(median)}`,
      must: 'all opened',
      isHeld: restarts.length === kills,
    },
  ]
}

/** Publishers on every surface, until the relay is gone. */
async function publishUntilKilled(
  relay: StartedRelay,
  ledger: Ledger,
  next: () => Event,
  acks: number,
): Promise<void> {
  const publishers = [
    await nativePublisher(relay),
    await nativePublisher(relay),
    await nostrPublisher(relay),
    httpPublisher(relay),
    httpPublisher(relay),
    httpPublisher(relay, true),
  ]
  let left = acks
  let isGone = false
  const settle = (event: Event | undefined, verdict: Verdict) => {
    ledger.settled(event, verdict)
    if (--left === 0) void relay.end('SIGKILL')
  }
  void relay.ended.then(() => {
    isGone = true
  })
  const run = async (publish: () => Promise<unknown>) => {
    try {
      while (!isGone) await publish()
    } catch (error) {
      if (left > 0) throw error
    }
  }
  const aether = (publisher: Publisher) => async () => {
    const events = Array.from({ length: 24 }, next)
    const known = new Map(events.map((event) => [event.id, event]))
    await publisher.publish(events.map(offer), (verdict) => settle(known.get(verdict.id), verdict))
  }
  const nostr = await nostrPublisher(relay)
  try {
    await Promise.all([
      ...publishers.map((publisher) => run(aether(publisher))),
      run(async () => {
        const event = signNostr({ content: `${left}` })
        const offers = [{ id: event.id, text: JSON.stringify(event) }]
        await nostr.publish(offers, (verdict) => settle(undefined, verdict))
      }),
    ])
    const { signal, output } = await relay.ended
    if (signal !== 'SIGKILL') throw new Error(`the relay ended by itself: ${output}`)
  } finally {
    for (const publisher of [...publishers, nostr]) publisher.close()
  }
}

/** What was acknowledged and is not there; and every seq that is there. */
async function lookFor(ledger: Ledger, relay: StartedRelay): Promise<{ epoch: string; lost: string[] }> {
  const lost: string[] = []
  const peer = await RawPeer.connect(relay.ports.native)
  const { epoch } = await peer.ask({
    type: 'hello',
    version: 1,
    formats: ['json'],
    noise: { required: false },
  })
  const kinds = [REGULAR, ...REPLACEABLE]
  peer.say({ type: 'subscribe', sub_id: 'all', filters: [{ kinds }], after: `${epoch}-0` })
  const { type, gap } = await peer.hearJson()
  if (type !== 'subscribed' || gap === true) lost.push(`what is stored: ${type}, gap ${gap}`)
  const there = new Set<string>()
  const winners = new Map<string, Event>()
  for (let last = 0n; ; ) {
    const message = await peer.hearJson()
    if (message.type === 'eose') break
    const read = readEvent(isJsonObject(message.event ?? null) ? (message.event ?? null) : null)
    if (!read.ok) throw new Error(read.error)
    const seq = BigInt(Number(message.seq))
    if (seq <= last) ledger.twice.push(`${seq} after ${last}`)
    last = seq
    ledger.seen(seq, read.event.id)
    there.add(read.event.id)
    const key = replaceKey(read.event)
    if (key !== undefined && winners.has(key)) lost.push(`the one winner of ${key}`)
    if (key !== undefined) winners.set(key, read.event)
  }
  await peer.close()
  for (const id of ledger.regular) if (!there.has(id)) lost.push(id)
  for (const [key, event] of ledger.best) {
    const winner = winners.get(key)
    if (winner === undefined || (winner.id !== event.id && !supersedes(winner, event))) lost.push(event.id)
  }
  lost.push(...(await lookForNostr(ledger, relay)))
  return { epoch: String(epoch), lost }
}

async function lookForNostr({ nostr }: Ledger, { ports }: StartedRelay): Promise<string[]> {
  const peer = await RawPeer.connect(ports.nostr)
  const there = new Set<unknown>()
  const ids = [...nostr]
  for (let at = 0; at < ids.length; at += IDS)
    for (const { id } of await request(peer, { ids: ids.slice(at, at + IDS), limit: IDS })) there.add(id)
  await peer.close()
  return ids.filter((id) => !there.has(id))
}

/** Half regular, half fighting over a few replaceable keys, some ephemeral. */
function eventsOf(random: Random): () => Event {
  const keys = Array.from({ length: 3 }, generateSecretKey)
  const below = (n: number) => Math.floor(random() * n)
  const clock = createClock()
  return () => {
    const kind = [REGULAR, REGULAR, REGULAR, ...REPLACEABLE, EPHEMERAL][below(6)] ?? REGULAR
    const createdAt = clock() - BigInt(below(1_000_000))
    const content = 'x'.repeat(below(600))
    return signEvent(
      { kind, content, tags: [['d', `${below(4)}`]], createdAt },
      keys[below(3)] ?? new Uint8Array(32),
    )
  }
}
