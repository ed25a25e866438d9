/** A healthy publisher beside an attack, and the rows that every attack has. */
import type { Row } from './case.js'
import { count, mebibytes, milliseconds } from './figures.js'
import type { StartedRelay, State, Workplace } from './workplace.js'

/** Milliseconds. */
export interface Latency {
  readonly acked: number
  readonly refused: number
  readonly p50: number
  readonly p99: number
  readonly worst: number
}

export interface Neighbour {
  /** How it fares for so long. */
  during(milliseconds: number): Promise<Latency>
  /** How it fares until something is done. */
  meanwhile<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly latency: Latency }>
  /** Ends it; counts of all its time. */
  close(): Promise<{ readonly acked: number; readonly refused: number }>
}

/** Times its quiet p99 that a publisher may wait under attack. */
const MOST_TIMES = 5

/** A hundred events a second from a process of their own. */
export async function healthy(place: Workplace, relay: StartedRelay): Promise<Neighbour> {
  const load = await place.load('./load-healthy.mjs')
  await load.ask('open', { port: relay.ports.native })
  let acked = 0
  let refused = 0
  const mark = async () => {
    const latency = await load.ask<Latency>('mark')
    acked += latency.acked
    refused += latency.refused
    return latency
  }
  const neighbour: Neighbour = {
    during: async (time) =>
      (await neighbour.meanwhile(() => new Promise((resolve) => setTimeout(resolve, time)))).latency,
    async meanwhile(work) {
      await mark()
      return { result: await work(), latency: await mark() }
    },
    async close() {
      await load.ask('settle')
      await mark()
      await load.ask('close')
      return { acked, refused }
    },
  }
  return neighbour
}

export function latencyRow(done: string, quiet: Latency, latency: Latency): Row {
  const times = latency.p99 / quiet.p99
  return {
    done,
    figure: `p99 ${milliseconds(latency.p99)}, quiet ${milliseconds(quiet.p99)}: ${times.toFixed(1)} times`,
    must: `${MOST_TIMES} times at most`,
    isHeld: times <= MOST_TIMES,
  }
}

/** After garbage collection; what the relay keeps of the last events (16 MiB at most) is in it. */
export function memoryRow(before: State, after: State, growth: number): Row {
  return {
    done: 'memory after it',
    figure: `heap ${inMebibytes(before.heap, after.heap)}, resident ${inMebibytes(before.resident, after.resident)}`,
    must: `heap grows by ${mebibytes(growth)} at most`,
    isHeld: after.heap - before.heap <= growth,
  }
}

export function crashRow(relay: StartedRelay): Row {
  const crashes = relay.crashes()
  return { done: 'crashes and faults', figure: `${crashes}`, must: '0', isHeld: crashes === 0 }
}

function inMebibytes(before: number, after: number): string {
  return `${count(before / 2 ** 20)} to ${mebibytes(after)}`
}
