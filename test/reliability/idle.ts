/** Ten thousand that wait, and half of them coming back at once (spec 7.1): nobody is forgotten, memory is bounded. */
import { RawPeer } from '../../relay/test/raw-peer.js'
import { createAuthor } from '../../relay/test/signing.js'
import type { Case, Row, Scale } from './case.js'
import { count } from './figures.js'
import { crashRow } from './neighbour.js'
import { openFileLimit } from './open-files.js'
import { inWorkplace, type Load, type StartedRelay } from './workplace.js'

interface Opened {
  readonly open: number
  readonly failures: number
  readonly failure?: string
  readonly ms: number
}

const WANTED = { full: 10_000, short: 400 } as const
/** Files that a process needs besides its connections. */
const SPARE_FILES = 500
/** Per connection with its subscription; at short scale what the process grows by anyway weighs in. */
const MOST_KIB = { full: 48, short: 512 }
const RECONNECT_MS = 5000
/** Files of a relay that nobody is connected to: those of its store come and go. */
const SPARE_HANDLES = 20

export const idle: Case = { name: 'idle', run }

function run(scale: Scale): Promise<readonly Row[]> {
  const connections = Math.max(2, Math.min(WANTED[scale], openFileLimit() - SPARE_FILES)) & ~3
  const isLess = connections < WANTED[scale]
  const note = isLess ? ` (ulimit -n ${openFileLimit()} allows no ${count(WANTED[scale])})` : ''
  return inWorkplace(async (place) => {
    const relay = await place.relay()
    const loads = [await place.load('./load-idle.mjs'), await place.load('./load-idle.mjs')]
    const port = relay.ports.native
    const publisher = await RawPeer.connect(port)
    const before = await relay.state()

    const opened = await all<Opened>(loads, 'open', { port, count: connections / loads.length })
    const during = await relay.state()
    const resident = (during.resident - before.resident) / connections / 1024
    const heap = (during.heap - before.heap) / connections / 1024
    const rows: Row[] = [
      {
        done: `${count(connections)} idle connections, a subscription each${note}`,
        figure: `${count(sum(opened))} open, ${resident.toFixed(1)} KiB resident each, ${heap.toFixed(1)} of it heap`,
        must: `all, ${MOST_KIB[scale]} KiB at most`,
        isHeld: sum(opened) === connections && resident <= MOST_KIB[scale],
      },
      await eventToAll('an event to all of them', loads, publisher, connections),
    ]

    const back = await all<Opened>(loads, 'reconnect', { port, count: connections / 2 / loads.length })
    const ms = Math.max(...back.map((each) => each.ms))
    const failures = back.reduce((total, each) => total + each.failures, 0)
    for (const { failure } of [...opened, ...back]) if (failure !== undefined) console.error(failure)
    rows.push({
      done: `${count(connections / 2)} of them cut off, and back at once`,
      figure: `${count(connections / 2 - failures)} accepted and subscribed in ${(ms / 1000).toFixed(1)} s`,
      must: `all${scale === 'full' ? `, ${RECONNECT_MS / 1000} s at most` : ''}`,
      isHeld: failures === 0 && (scale === 'short' || ms <= RECONNECT_MS),
    })
    rows.push(await eventToAll('an event to all of them after it', loads, publisher, connections))

    await all(loads, 'close', undefined)
    const files = await filesLeft(relay, (before.files ?? 0) + SPARE_HANDLES)
    rows.push({
      done: 'files open in the relay when they are gone',
      figure: `${files ?? 'unknown'}, before them ${before.files ?? 'unknown'}`,
      must: `${SPARE_HANDLES} more at most`,
      isHeld: files === undefined || files <= (before.files ?? 0) + SPARE_HANDLES,
    })
    return [...rows, crashRow(relay)]
  })
}

const author = createAuthor()

async function eventToAll(
  done: string,
  loads: readonly Load[],
  publisher: RawPeer,
  connections: number,
): Promise<Row> {
  await all(loads, 'arm', undefined)
  const begun = performance.now()
  publisher.say(`{"type":"publish","event":${author.text({ kind: 4100, tags: [['t', 'everyone']] })}}`)
  const { type } = await publisher.hearJson()
  const counts = await all<{ arrived: number; lost: number }>(loads, 'arrived', undefined)
  const arrived = counts.reduce((total, each) => total + each.arrived, 0)
  const lost = counts.reduce((total, each) => total + each.lost, 0)
  return {
    done,
    figure: `${type}, at ${count(arrived)} after ${count(performance.now() - begun)} ms, ${lost} connections lost`,
    must: `at ${count(connections)}, 0 lost`,
    isHeld: type === 'ack' && arrived === connections && lost === 0,
  }
}

function all<T>(loads: readonly Load[], command: string, argument: unknown): Promise<readonly T[]> {
  return Promise.all(loads.map((load) => load.ask<T>(command, argument)))
}

function sum(opened: readonly Opened[]): number {
  return opened.reduce((total, { open }) => total + open, 0)
}

/** The relay hears of the end of a connection when its turn comes. */
async function filesLeft(relay: StartedRelay, most: number): Promise<number | undefined> {
  for (let i = 0; ; i++) {
    const { files } = await relay.state()
    if (files === undefined || files <= most || i === 50) return files
  }
}
