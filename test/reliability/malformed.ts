/** Malformed messages on every surface (spec 3.2, 13.2): a code each time, and nobody else notices. */
import type { Case, Row, Scale } from './case.js'
import { count, histogram } from './figures.js'
import { crashRow, healthy, latencyRow, memoryRow } from './neighbour.js'
import { inWorkplace } from './workplace.js'

interface Tally {
  readonly judged: number
  readonly connections: number
  readonly codes: Readonly<Record<string, number>>
  readonly strange: readonly string[]
}

const SURFACES = [
  ['json', 'native', 'native JSON frames'],
  ['envelope', 'native', 'envelopes'],
  ['frame', 'native', 'aether.v2 frames'],
  ['nostr', 'nostr', 'Nostr messages'],
  ['body', 'http', 'HTTP bodies'],
  ['head', 'http', 'HTTP requests'],
] as const
const SIZE = {
  full: { messages: 100_000, quietMs: 10_000, growth: 32 * 2 ** 20 },
  short: { messages: 500, quietMs: 0, growth: 128 * 2 ** 20 },
} as const

export const malformed: Case = { name: 'malformed', run }

function run(scale: Scale): Promise<readonly Row[]> {
  const { messages, quietMs, growth } = SIZE[scale]
  const seed = Number(process.env.AETHER_FUZZ_SEED ?? Date.now() % 2 ** 31)
  return inWorkplace(async (place) => {
    const relay = await place.relay()
    const load = await place.load('./load-malformed.mjs')
    const publisher = await healthy(place, relay)
    const rows: Row[] = []
    // What is made once, at the first message of each kind, is no growth.
    for (const [surface, port] of SURFACES)
      await load.ask('attack', { surface, port: relay.ports[port], count: 100, seed })
    const before = await relay.state()
    const quiet = await publisher.during(quietMs)
    for (const [surface, port, name] of SURFACES) {
      const argument = { surface, port: relay.ports[port], count: messages, seed }
      const { result, latency } = await publisher.meanwhile(() => load.ask<Tally>('attack', argument))
      const { judged, codes, strange } = result
      for (const line of strange) console.error(`${name}, seed ${seed}: ${line}`)
      rows.push({
        done: `${count(judged)} malformed ${name}, seed ${seed}`,
        figure: histogram(codes, 2),
        must: 'codes of the table',
        isHeld: judged >= messages && strange.length === 0,
      })
      if (scale === 'full') rows.push(latencyRow(`a healthy publisher among ${name}`, quiet, latency))
    }
    const { acked, refused } = await publisher.close()
    rows.push({
      done: 'a healthy publisher all the while',
      figure: `${count(acked)} acked, ${refused} refused`,
      must: '0 refused',
      isHeld: acked > 0 && refused === 0,
    })
    const after = await relay.state()
    return [...rows, memoryRow(before, after, growth), crashRow(relay)]
  })
}
