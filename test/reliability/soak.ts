/**
 * Half load for a while, subscribers coming and going: memory and handles stay flat. Thirty minutes when it is asked for
 * by name (`npm run reliability -- soak`), a minute in a run of all cases; AETHER_SOAK_SECONDS says otherwise.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Case, Row, Scale } from './case.js'
import { count, mebibytes } from './figures.js'
import { crashRow } from './neighbour.js'
import { onStage, type State, type Victim } from './stage.js'
import { trendOf } from './trend.js'

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
/** Swept once a minute: the store stays within bounds too. */
const RETENTION = [{ kinds: [1, 1], maxCount: 100_000 }]
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
  return onStage(async (stage) => {
    const relay = await stage.relay({ config: { retention: RETENTION } })
    const before = await relay.state()
    const { events, ms } = MEASURE[scale]
    const full = await stage.load('../bench/load-publish.mjs')
    await full.ask('make', { count: events, keys: 16, format: FORMAT, ...EVENT })
    const port = relay.ports.native
    const { rate } = await full.ask<{ rate: number }>('run', {
      port,
      format: FORMAT,
      connections: 2,
      window: 100,
      ms,
    })

    const load = await stage.load('./load-soak.mjs')
    await load.ask('start', { port, httpPort: relay.ports.http, rate: rate / 2 })
    const { samples, taken } = await sample(relay, seconds, SAMPLES[scale])
    const figures = await load.ask<Figures>('stop')
    for (const failure of figures.failures) console.error(failure)
    const after = await settled(relay, (before.files ?? 0) + SPARE_FILES)
    return rowsOf({ scale, isAsked, rate, samples, taken, figures, before, after, relay })
  })
}

interface Outcome {
  readonly scale: Scale
  readonly isAsked: boolean
  /** Events a second that the relay takes at most. */
  readonly rate: number
  readonly samples: readonly (State & { readonly at: number })[]
  /** Seconds. */
  readonly taken: number
  readonly figures: Figures
  readonly before: State
  readonly after: State
  readonly relay: Victim
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

async function sample(relay: Victim, seconds: number, times: number) {
  const begun = performance.now()
  const samples: (State & { readonly at: number })[] = []
  for (let i = 1; i <= times; i++) {
    const due = begun + (seconds * 1000 * i) / times
    await sleep(Math.max(0, due - performance.now()))
    samples.push({ ...(await relay.state()), at: (performance.now() - begun) / 1000 })
  }
  return { samples: samples.slice(Math.floor(times * WARM_UP)), taken: (performance.now() - begun) / 1000 }
}

/** The relay hears of the end of a connection when its turn comes. */
async function settled(relay: Victim, mostFiles: number): Promise<State> {
  for (let i = 0; ; i++) {
    const state = await relay.state()
    if ((state.files ?? 0) <= mostFiles || i === 50) return state
  }
}
