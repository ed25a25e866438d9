/**
 * Bits flipped and last pages cut in copies of a store that the relay has written: `verify-store` names the damage, and
 * a relay on the damaged store never gives wrong data under a right-looking id. Every event read back is checked against
 * its id, its signature and what was published.
 */
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import {
  createClock,
  type Event,
  generateSecretKey,
  type JsonValue,
  readEvent,
  signEvent,
  verify,
  writeEvent,
} from '@aetherkit/core'
import { type Random, seededRandom } from '@aetherkit/core/testing'
import { RawPeer } from '../../relay/test/raw-peer.js'
import { type Case, type Row, type Scale, seedOf } from './case.js'
import { ChildEnded } from './child.js'
import { count } from './figures.js'
import { within } from './patience.js'
import { nativePublisher, offer } from './publishers.js'
import { inWorkplace, type StartedRelay, type Workplace } from './workplace.js'

const SIZES = {
  full: { events: 1000, flips: 50, cuts: 10 },
  short: { events: 200, flips: 2, cuts: 1 },
} as const
/** Of an SQLite store, of LMDB and of most systems. */
const PAGE = 4096
/** Copies looked at side by side. */
const SIDE_BY_SIDE = 3
/** What `verify-store` ends with. */
const EXIT = { ok: 0, storage: 4, found: 5 } as const
/** Not of the store: what else the relay keeps, locks, and the store of Nostr events, which is one like this. */
const NOT_THE_STORE = /relay\.key$|lock|nostr|mailboxes|capability-uses|-shm$/
/** The one copy to which nothing is done, and of which nothing may be missing. */
const UNTOUCHED = 'untouched'
/** Files of a store in which no byte is free. */
const ALL_COUNTS = /^(segments|identity)/
const KINDS = [1, 1, 1, 2, 10_001, 30_001]

export const damage: Case = {
  name: 'damage',
  run: async (scale) => [
    ...(await inWorkplace((place) => damageAll(place, 'lmdb', scale))),
    ...(await inWorkplace((place) => damageAll(place, 'sqlite', scale))),
  ],
}

interface Whole {
  readonly path: string
  readonly storage: 'lmdb' | 'sqlite'
  /** What is stored, by id, as JSON. */
  readonly lines: ReadonlyMap<string, string>
}

/** What became of one copy. */
interface Found {
  readonly what: string
  /** By `verify-store`, with the place. */
  readonly isNamed: boolean
  readonly read: number
  readonly wrong: number
  readonly missing: number
  /** How a relay on it ended, that did. */
  readonly ended: 'refused' | 'crashed' | undefined
}

async function damageAll(place: Workplace, storage: Whole['storage'], scale: Scale): Promise<readonly Row[]> {
  const random = seededRandom(seedOf(scale))
  const sizes = SIZES[scale]
  const whole = await makeStore(place, storage, sizes.events)
  const acts = [
    () => UNTOUCHED,
    ...Array.from({ length: sizes.flips }, () => flip),
    ...Array.from({ length: sizes.cuts }, () => cut),
  ]
  const found: Found[] = []
  const todo = acts.entries()
  const work = async () => {
    for (const [, act] of todo) found.push(await lookAt(place, whole, (path) => act(path, random)))
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work))
  const flips = found.filter(({ what }) => what.includes('flipped'))
  const cuts = found.filter(({ what }) => what.includes('cut'))
  return [
    row(`${flips.length} bit flips in a store of ${count(sizes.events)} events, ${storage}`, flips),
    row(`${cuts.length} last pages cut, ${storage}`, cuts),
    readRow(found),
  ]
}

function row(done: string, found: readonly Found[]): Row {
  const named = found.filter(({ isNamed }) => isNamed).length
  const unnamed = found.filter(({ isNamed }) => !isNamed)
  const unnoticed = unnamed.filter(
    ({ what, missing, wrong, ended }) => missing + wrong > 0 || ended !== undefined || ALL_COUNTS.test(what),
  )
  const first = unnoticed[0] === undefined ? '' : `: ${unnoticed[0].what}`
  return {
    done,
    figure: `${named} named, ${unnamed.length - unnoticed.length} harmless, ${unnoticed.length} unnoticed${first}`,
    must: '0 unnoticed',
    isHeld: unnoticed.length === 0,
  }
}

function readRow(found: readonly Found[]): Row {
  const sum = (of: (one: Found) => number) => found.reduce((all, one) => all + of(one), 0)
  const ended = (how: Found['ended']) => found.filter((one) => one.ended === how).length
  const isSound = found.some(
    ({ what, isNamed, ...one }) => what === UNTOUCHED && !isNamed && one.missing === 0,
  )
  const [read, wrong, missing] = [sum((one) => one.read), sum((one) => one.wrong), sum((one) => one.missing)]
  return {
    done: `  read from them and 1 whole (${ended('refused')} did not open, ${ended('crashed')} crashed)`,
    figure: `${count(read)} events, ${wrong} wrong, ${count(missing)} missing`,
    must: '0 wrong',
    isHeld: wrong === 0 && isSound,
  }
}

async function lookAt(place: Workplace, whole: Whole, act: (path: string) => string): Promise<Found> {
  const folder = place.folder()
  const path = join(folder, 'damaged')
  cpSync(whole.path, path, { recursive: true })
  const what = act(path)
  // Looking may mend.
  const copy = join(folder, 'verified')
  cpSync(path, copy, { recursive: true })
  const flags = ['--storage', whole.storage, '--storage-path', copy]
  const { code, output } = await place.run('verify-store', ...flags)
  const isNamed =
    (code === EXIT.found && /"file":"[^"]/.test(output)) || (code === EXIT.storage && output.includes(copy))
  const isUnclear = code !== EXIT.ok && !isNamed
  const read = await readBack(place, whole, path)
  rmSync(folder, { recursive: true, force: true })
  return { what: isUnclear ? `${what}, verify-store ${code}: ${output}` : what, isNamed, ...read }
}

/** Everything, by seq and by id; both ways must give nothing that is not as it was published. */
async function readBack(
  place: Workplace,
  { storage, lines }: Whole,
  path: string,
): Promise<Omit<Found, 'what' | 'isNamed'>> {
  const there = new Map<string, string>()
  let [read, wrong] = [0, 0]
  let ended: Found['ended']
  const take = (value: JsonValue | undefined) => {
    const event = readEvent(value ?? null)
    const verdict = event.ok ? verify(event.event) : event
    read++
    const line = verdict.ok ? writeEvent(verdict.event) : undefined
    if (!verdict.ok || line === undefined || lines.get(verdict.event.id) !== line) wrong++
    else there.set(verdict.event.id, line)
  }
  try {
    const relay = await place.relay({ storage, path })
    try {
      await readAll(relay, take, [...lines.keys()])
    } catch (error) {
      // A page of LMDB that is not what it was can end who reads it.
      ended = await Promise.race([relay.ended.then(() => 'crashed' as const), pause(1000)])
      if (ended === undefined) throw error
    }
    await relay.end('SIGKILL')
  } catch (error) {
    if (!(error instanceof ChildEnded)) throw error
    ended = error.how.code === EXIT.storage && error.message.includes(path) ? 'refused' : 'crashed'
  }
  const isOpen = ended === undefined
  return { read, wrong, ended, missing: isOpen ? [...lines.keys()].filter((id) => !there.has(id)).length : 0 }
}

async function readAll(
  relay: StartedRelay,
  take: (event: JsonValue | undefined) => void,
  ids: readonly string[],
): Promise<void> {
  const peer = await RawPeer.connect(relay.ports.native)
  const hello = { type: 'hello', version: 1, formats: ['json'], noise: { required: false } }
  const { epoch } = await within(peer.ask(hello), 'welcome')
  const asks = [
    { filters: [{}], after: `${epoch}-0` },
    { filters: [{ replay: true, limit: 5000 }] },
    ...chunks(ids, 200).map((some) => ({ filters: [{ ids: some, limit: some.length }] })),
  ]
  for (const [i, ask] of asks.entries()) {
    peer.say({ type: 'subscribe', sub_id: `${i}`, ...ask })
    for (;;) {
      const message = await within(peer.hearJson(), 'stored event')
      if (message.type === 'event') take(message.event)
      // What cannot be read ends a subscription with its code.
      else if (message.type === 'eose' || message.type === 'closed' || message.type === 'error') break
    }
    peer.say({ type: 'unsubscribe', sub_id: `${i}` })
  }
  peer.socket.destroy()
}

/** Some kinds of which only the newest stays. Ends with the relay closed as it should be. */
async function makeStore(place: Workplace, storage: Whole['storage'], size: number): Promise<Whole> {
  const path = join(place.folder(), 'whole')
  const relay = await place.relay({ storage, path })
  const publisher = await nativePublisher(relay)
  const keys = Array.from({ length: 20 }, generateSecretKey)
  const clock = createClock()
  const events = Array.from({ length: size }, (_, i): Event => {
    const tags = [
      ['d', `${i % 17}`],
      ['t', `topic ${i % 5}`],
    ] as const
    const content = `${i} `.repeat(i % 200)
    return signEvent(
      { kind: KINDS[i % KINDS.length] ?? 1, tags, content, createdAt: clock() },
      keys[i % keys.length]!,
    )
  })
  await publisher.publish(events.map(offer))
  publisher.close()
  const lines = new Map<string, string>()
  await readAll(
    relay,
    (value) => {
      const read = readEvent(value ?? null)
      if (read.ok) lines.set(read.event.id, writeEvent(read.event) ?? '')
    },
    [],
  )
  await relay.end()
  return { path, storage, lines }
}

/** A bit of a file of the store, at random. */
function flip(path: string, random: Random): string {
  const files = filesOf(path)
  const file = files[Math.floor(random() * files.length)] ?? path
  const bytes = readFileSync(file)
  const offset = Math.floor(random() * bytes.length)
  bytes[offset]! ^= 1 << Math.floor(random() * 8)
  writeFileSync(file, bytes)
  return `${relative(path, file)} flipped at ${offset}`
}

/** The last page, or a part of it, of a file that has at least one. */
function cut(path: string, random: Random): string {
  const files = filesOf(path).filter((file) => statSync(file).size > PAGE)
  const file = files[Math.floor(random() * files.length)] ?? path
  const { size } = statSync(file)
  const left = size - 1 - Math.floor(random() * PAGE)
  truncateSync(file, left)
  return `${relative(path, file)} cut at ${left} of ${size}`
}

function filesOf(path: string): readonly string[] {
  if (!existsSync(path) || NOT_THE_STORE.test(path)) return []
  if (!statSync(path).isDirectory()) return statSync(path).size > 0 ? [path] : []
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesOf(join(path, name)))
}

function chunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms))
}
