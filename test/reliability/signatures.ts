/** Nine of ten signatures are forged (spec 1.7, 3.1): checking them must not take the place of honest ones. */
import type { Case, Row, Scale } from './case.js'
import { count, histogram } from './figures.js'
import { crashRow } from './neighbour.js'
import { inWorkplace } from './workplace.js'

const EVENT = { kind: 1, contentBytes: 400 }
const FORMAT = 'aether.v2'
const SIZE = {
  full: { events: 60_000, ms: 12_000 },
  short: { events: 1000, ms: 5000 },
} as const
/** As many publishes under way on each connection, good or bad. */
const WINDOW = 200
const GOOD = 2
const FORGERS = 18

export const signatures: Case = { name: 'signatures', run }

function run(scale: Scale): Promise<readonly Row[]> {
  const { events, ms } = SIZE[scale]
  return inWorkplace(async (place) => {
    const relay = await place.relay()
    const good = await place.load('../bench/load-publish.mjs')
    const forger = await place.load('./load-forger.mjs')
    const port = relay.ports.native
    // Each time new events: those it knows cost a relay nothing. A publish that is refused ends the run.
    const throughput = async () => {
      await good.ask('make', { count: events, keys: 16, format: FORMAT, ...EVENT })
      const argument = { port, format: FORMAT, connections: GOOD, window: WINDOW, ms }
      return good.ask<{ rate: number; acked: number }>('run', argument)
    }
    await forger.ask('make', EVENT)
    await throughput()
    const before = await throughput()
    await forger.ask('start', { port, connections: FORGERS, window: WINDOW })
    const during = await throughput()
    const forged = await forger.ask<Forged>('stop')
    const after = await throughput()
    const quiet = (before.rate + after.rate) / 2
    const share = during.rate / quiet
    const refused = Object.values(forged.codes).reduce((sum, times) => sum + times, 0)
    const rows: Row[] = [
      {
        done: `${FORGERS} connections with bad signatures beside ${GOOD} good publishers`,
        figure: `${count(forged.rate)} bad events/s, ${histogram(forged.codes)}`,
        must: 'some, and nothing else',
        isHeld: refused > 0 && Object.keys(forged.codes).join() === 'invalid_signature',
      },
      {
        done: 'bad events accepted',
        figure: count(forged.accepted),
        must: '0',
        isHeld: forged.accepted === 0,
      },
      {
        done: 'good publishers meanwhile',
        figure: `${count(during.acked)} acked, 0 refused`,
        must: '0 refused',
        isHeld: during.acked > 0,
      },
    ]
    if (scale === 'full')
      rows.push({
        done: 'their throughput',
        figure: `${count(during.rate)} events/s, quiet ${count(quiet)}: ${count(100 * share)} %`,
        must: '50 % at least',
        isHeld: share >= 0.5,
      })
    return [...rows, crashRow(relay)]
  })
}

interface Forged {
  readonly accepted: number
  readonly codes: Readonly<Record<string, number>>
  /** Connections that the relay closed. */
  readonly closed: number
  readonly rate: number
}
