/**
 * Half load for a while, subscribers coming and going: memory and handles stay flat. Thirty minutes when it is asked for
 * by name (`npm run reliability -- soak`), a minute in a run of all cases; AETHER_SOAK_SECONDS says otherwise.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from '../../relay/test/http-client.js'
import type { Case, Row, Scale } from './case.js'
import { count, mebibytes } from './figures.js'
import { crashRow } from './neighbour.js'
import { trendOf } from './trend.js'
import { inWorkplace, type StartedRelay, type State, type Workplace } from './workplace.js'

const FORMAT = 'aether.v2'
const EVENT = { kind: 1, contentBytes: 400 }
const MEASURE = { full: { events: 60_000, ms: 10_000 }, short: { events: 500, ms: 10_000 } } as const
const SECONDS = { asked: 1800, full: 60, short: 4 }
const SAMPLES = { full: 40, short: 8 }
/** Of the samples: until the rings and caches are full. */
const WARM_UP = 0.3
/** The line may rise by so much from its begin to its end. */
const MOST = {
  full: { heap: 16 * 2 ** 20, resident: 64 * 2 ** 20, handles: 30 },
  short: { heap: 96 * 2 ** 20, resident: 256 * 2 ** 20, handles: 100 },
}
/** The store stays within bounds too. */
const KEPT = 100_000
const RETENTION = [{ kinds: [1, 1], maxCount: KEPT }]
/** What comes in such a time may wait for a sweep: they begin a minute apart and are slow at first. */
const SWEPT_SECONDS = 180
const SPARE_FILES = 20

export const soak: Case = { name: 'soak', run }

interface Figures {
  readonly sent: number
  readonly acked: number
  readonly refused: number
  readonly received: number
  readonly subscribers: number
  readonly failed: number
  /** The first few. */
  readonly failures: readonly string[]
}

function run(scale: Scale): Promise<readonly Row[]> {
  const isAsked = scale === 'full' && process.argv.includes(soak.name)
  const seconds = Number(process.env.AETHER_SOAK_SECONDS ?? SECONDS[isAsked ? 'asked' : scale])
  return inWorkplace(async (place) => {
    const relay = await place.relay({ config: { retention: RETENTION } })
    const before = await relay.state()
    const { native: port, http: httpPort } = relay.ports
    const load = await place.load('./load-soak.mjs')
    await load.ask('start', { port, httpPort })
    const rate = await fullRate(place, port, scale)
    await load.ask('publish', { port, rate: rate / 2 })
    const { samples, taken } = await sample(relay, seconds, SAMPLES[scale])
    const figures = await load.ask<Figures>('stop')
    for (const failure of figures.failures) console.error(failure)
    const after = await settled(relay, (before.files ?? 0) + SPARE_FILES)
    return rowsOf({ scale, isAsked, rate, samples, taken, figures, before, after, relay })
  })
}

interface Sample extends State {
  /** Seconds from the begin. */
  readonly at: number
  /** Events in the store. */
  readonly stored: number
}

/** Events a second that the relay takes beside its subscribers. */
async function fullRate(place: Workplace, port: number, scale: Scale): Promise<number> {
  const { events, ms } = MEASURE[scale]
  const full = await place.load('../bench/load-publish.mjs')
  await full.ask('make', { count: events, keys: 16, format: FORMAT, ...EVENT })
  const argument = { port, format: FORMAT, connections: 2, window: 100, ms }
  return (await full.ask<{ rate: number }>('run', argument)).rate
}

interface Outcome {
  readonly scale: Scale
  readonly isAsked: boolean
  /** Events a second that the relay takes at most beside its subscribers. */
  readonly rate: number
  readonly samples: readonly Sample[]
  /** Seconds. */
  readonly taken: number
  readonly figures: Figures
  readonly before: State
  readonly after: State
  readonly relay: StartedRelay
}

function rowsOf({
  scale,
  isAsked,
  rate,
  samples,
  taken,
  figures,
  before,
  after,
  relay,
}: Outcome): readonly Row[] {
  const { sent, acked, refused, received, subscribers, failed } = figures
  const most = MOST[scale]
  const line = (name: 'heap' | 'resident' | 'handles' | 'files') =>
    trendOf(samples.map((each) => ({ at: each.at, value: each[name] ?? 0 })))
  const memory = (name: 'heap' | 'resident'): Row => {
    const { mean, perMinute, growth } = line(name)
    return {
      done: `${name} memory, ${samples.length} samples after garbage collection`,
      figure: `${mebibytes(mean)}, slope ${mebibytes(perMinute)} a minute, ${mebibytes(growth)} in all`,
      must: `${mebibytes(most[name])} at most in all`,
      isHeld: growth <= most[name],
    }
  }
  const open = (name: 'handles' | 'files'): Row => {
    const { mean, perMinute, growth } = line(name)
    return {
      done: `open ${name}`,
      figure: `${mean.toFixed(0)}, slope ${perMinute.toFixed(2)} a minute, ${growth.toFixed(1)} in all`,
      must: `${most.handles} at most in all`,
      isHeld: growth <= most.handles,
    }
  }
  const stored = Math.max(...samples.map((each) => each.stored))
  const mostStored = KEPT + (rate / 2) * SWEPT_SECONDS
  const isLong = isAsked || scale === 'short' ? '' : ' (30 min when asked by name)'
  return [
    {
      done: `half load for ${taken.toFixed(0)} s${isLong}`,
      figure: `${count(acked)} acked of ${count(sent)}, ${count(acked / taken)}/s of ${count(rate)}/s, ${refused} refused`,
      must: 'all acked',
      isHeld: acked === sent && sent > 0,
    },
    {
      done: 'subscribers that came and went meanwhile',
      figure: `${count(subscribers)}, ${count(received)} events to them, ${failed} failures`,
      must: '0 failures',
      isHeld: subscribers > 0 && failed === 0,
    },
    {
      done: `events in the store, which is to keep ${count(KEPT)}`,
      figure: `${count(stored)} at most, ${count(samples.at(-1)?.stored ?? 0)} in the end`,
      must: `${count(mostStored)} at most`,
      isHeld: stored <= mostStored,
    },
    memory('heap'),
    memory('resident'),
    open('handles'),
    ...(samples.every(({ files }) => files !== undefined) ? [open('files')] : []),
    {
      done: 'open files when all is over',
      figure: `${after.files ?? 'unknown'}, before it ${before.files ?? 'unknown'}`,
      must: `${SPARE_FILES} more at most`,
      isHeld: (after.files ?? 0) <= (before.files ?? 0) + SPARE_FILES,
    },
    crashRow(relay),
  ]
}

async function sample(relay: StartedRelay, seconds: number, times: number) {
  const begun = performance.now()
  const samples: Sample[] = []
  for (let i = 1; i <= times; i++) {
    const due = begun + (seconds * 1000 * i) / times
    await sleep(Math.max(0, due - performance.now()))
    const { text } = await ask(relay.ports.http, 'GET /metrics')
    const stored = Number(/^aether_store_events\{kinds="immutable"\} (\d+)/m.exec(text)?.[1] ?? 0)
    samples.push({ ...(await relay.state()), at: (performance.now() - begun) / 1000, stored })
  }
  return { samples: samples.slice(Math.floor(times * WARM_UP)), taken: (performance.now() - begun) / 1000 }
}

/** The relay hears of the end of a connection when its turn comes. */
async function settled(relay: StartedRelay, mostFiles: number): Promise<State> {
  for (let i = 0; ; i++) {
    const state = await relay.state()
    if ((state.files ?? 0) <= mostFiles || i === 50) return state
  }
}
