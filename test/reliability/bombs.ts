/** Bombs of every kind the family of relays is known to fall to (spec 13.2): each is answered rightly, nobody is hurt. */
import type { Bomb } from './bomb.js'
import { FRAMING } from './bombs-framing.js'
import { MESSAGES } from './bombs-messages.js'
import type { Case, Row, Scale } from './case.js'
import { crashRow, healthy, latencyRow, memoryRow } from './neighbour.js'
import { SHORT_LIMITS, slowHandshakes } from './slow-handshakes.js'
import { inWorkplace, type StartedRelay } from './workplace.js'

const GROWTH = { full: 32 * 2 ** 20, short: 128 * 2 ** 20 }
const QUIET_MS = { full: 10_000, short: 0 }

export const bombs: Case = { name: 'bombs', run }

function run(scale: Scale): Promise<readonly Row[]> {
  return inWorkplace(async (place) => {
    const relay = await place.relay()
    const publisher = await healthy(place, relay)
    const quiet = await publisher.during(QUIET_MS[scale])
    const before = await relay.state()
    const rows = await throwAll(relay, scale)
    const again = await publisher.meanwhile(async () =>
      scale === 'full' ? throwAll(unweighed(relay), scale) : [],
    )
    const { refused } = await publisher.close()
    rows.push(memoryRow(before, await relay.state(), GROWTH[scale]), crashRow(relay))

    const second = await place.relay(scale === 'short' ? { config: { limits: SHORT_LIMITS } } : {})
    const neighbour = await healthy(place, second)
    const slow = await neighbour.meanwhile(() => slowHandshakes(second, scale))
    const { refused: refusedToo } = await neighbour.close()
    rows.push(...slow.result, crashRow(second))

    rows.push({
      done: 'a healthy publisher all the while',
      figure: `${refused + refusedToo} refused`,
      must: '0 refused',
      isHeld: refused + refusedToo === 0,
    })
    if (scale === 'full') {
      const answered = again.result.filter(({ isHeld }) => isHeld).length
      rows.push({
        done: 'the same bombs again',
        figure: `${answered} of ${again.result.length} answered as before`,
        must: 'all',
        isHeld: answered === again.result.length,
      })
      rows.push(latencyRow('a healthy publisher among them', quiet, again.latency))
      rows.push(latencyRow('a healthy publisher among slow handshakes', quiet, slow.latency))
    }
    return rows
  })
}

/** Collecting garbage to tell memory holds up everybody: where latencies are measured nobody does. */
function unweighed(relay: StartedRelay): StartedRelay {
  return { ...relay, state: async () => ({ heap: 0, resident: 0, handles: 0, files: undefined }) }
}

async function throwAll(relay: StartedRelay, scale: Scale): Promise<Row[]> {
  const rows: Row[] = []
  for (const bomb of [...FRAMING, ...MESSAGES]) rows.push(await throwOne(bomb, relay, scale))
  return rows
}

async function throwOne({ done: of, must, throwAt }: Bomb, relay: StartedRelay, scale: Scale): Promise<Row> {
  const done = typeof of === 'string' ? of : of[scale]
  const figure = await throwAt(relay, scale).catch(String)
  return { done, figure, must: figure === must ? 'just that' : must, isHeld: figure === must }
}
