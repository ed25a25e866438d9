/**
 * One bus (spec 7.1): one scenario published on each surface and read on all, on a real relay over real sockets. Verdicts
 * may not depend on where an event came in, and every reader gets every event that was taken, once, in one order,
 * whatever surface it reads on.
 */
import { type Event, type Filter, writeEvent } from '@aetherkit/core'
import { createRelay, type Relay, type RelayEvent } from '@aetherkit/relay'
import { createAuthor } from '../../relay/test/signing.js'
import { type Step, scenario } from './scenario.js'
import { SURFACES, type Surface } from './surfaces.js'

/** A step, published on one surface. */
export interface Published {
  readonly step: Pick<Step, 'what' | 'verdict'>
  readonly surface: string
  readonly verdict: string
  /** On how many surfaces it was read because of this step. */
  readonly readOn: number
  readonly isRight: boolean
}

/** What one surface read. */
export interface Read {
  readonly surface: string
  /** Of the scenario, published on one surface after the other. */
  readonly live: Tally
  /** Of what was published on all surfaces at once. */
  readonly atOnce: Tally
  /** Queries whose answer was that of the first surface, event by event. */
  readonly sameAnswers: number
  readonly queries: number
}

export interface Tally {
  readonly expected: number
  readonly delivered: number
  readonly once: boolean
  readonly inOrder: boolean
}

export interface Comparison {
  readonly published: readonly Published[]
  readonly read: readonly Read[]
  /** Things that the relay says must not happen. */
  readonly faults: readonly RelayEvent[]
}

/** Published on each surface at once. */
const AT_ONCE = 30
const QUERIES: readonly Filter[] = [
  {},
  { kinds: [10_500, 30_001] },
  { tags: [{ key: 't', any: ['b'] }] },
  { limit: 3 },
  { until: 5n },
]

export async function compare(): Promise<Comparison> {
  const faults: RelayEvent[] = []
  const relay = await createRelay({
    ...{ http: { wsPort: 0 }, nostr: {} },
    onEvent: (event) =>
      void ((event.type === 'fault' || event.type === 'slow_consumer') && faults.push(event)),
  })
  try {
    const turns: Awaited<ReturnType<typeof takeTurn>>[] = []
    for (const surface of SURFACES) turns.push(await takeTurn(relay, surface))
    const atOnce = await publishAtOnce(relay)
    const answers = await Promise.all(
      SURFACES.map((surface) => Promise.all(QUERIES.map((filter) => surface.query(relay, filter)))),
    )
    return {
      published: turns.flatMap(({ published }) => published),
      read: SURFACES.map(({ name }, i) => ({
        surface: name,
        live: sum(turns.map(({ tallies }) => tallies[i]!)),
        atOnce: atOnce[i]!,
        sameAnswers: QUERIES.filter(
          (_, at) => answers[0]![at]!.length > 0 && isSame(answers[i]![at]!, answers[0]![at]!),
        ).length,
        queries: QUERIES.length,
      })),
      faults,
    }
  } finally {
    await relay.close()
  }
}

/** Whether everything is as it must be. */
export function isEquivalent({ published, read, faults }: Comparison): boolean {
  return (
    faults.length === 0 &&
    published.length > 0 &&
    published.every(({ isRight }) => isRight) &&
    read.every(
      ({ live, atOnce, sameAnswers, queries }) => isWhole(live) && isWhole(atOnce) && sameAnswers === queries,
    )
  )
}

export function isWhole({ expected, delivered, once, inOrder }: Tally): boolean {
  return expected === delivered && once && inOrder
}

async function takeTurn(relay: Relay, surface: Surface) {
  const readers = await Promise.all(SURFACES.map((each) => each.subscribe(relay, {})))
  const steps = scenario()
  const verdicts = await surface.publish(
    relay,
    steps.map(({ event }) => event),
  )
  const seen = await readToEnd(relay, readers)
  const accepted = steps.filter(({ verdict }) => verdict === 'accepted').map(({ event }) => textOf(event))
  const published = steps.map(({ what, verdict, event }, i): Published => {
    // A duplicate is the second of two: it was read where the event was read twice.
    const least = verdict === 'duplicate' ? 2 : 1
    const readOn = seen.filter((texts) => count(texts, textOf(event)) >= least).length
    const isRight = verdicts[i] === verdict && readOn === (verdict === 'accepted' ? SURFACES.length : 0)
    return { step: { what, verdict }, surface: surface.name, verdict: verdicts[i] ?? 'none', readOn, isRight }
  })
  return { published, tallies: seen.map((texts) => tally(texts, accepted)) }
}

async function publishAtOnce(relay: Relay): Promise<readonly Tally[]> {
  const readers = await Promise.all(SURFACES.map((each) => each.subscribe(relay, { kinds: [1, 20_001] })))
  const texts: string[] = []
  await Promise.all(
    SURFACES.map(async (surface) => {
      const author = createAuthor()
      const events = Array.from({ length: AT_ONCE }, (_, i) =>
        author.sign({ kind: i % 2 === 0 ? 1 : 20_001 }),
      )
      texts.push(...events.map(textOf))
      await surface.publish(relay, events)
    }),
  )
  const seen = await readToEnd(relay, readers)
  // The relay makes the order; it must be that of the first reader for all, with everything in it.
  const [first = []] = seen
  const isWhole = isSame(first.toSorted(), texts.toSorted())
  return seen.map((each) => tally(each, isWhole ? first : texts))
}

/** What each reader got until the mark that is published last. */
async function readToEnd(relay: Relay, readers: readonly { next(): Promise<string> }[]) {
  const mark = createAuthor().sign({ content: 'the end of the turn' })
  await relay.publish(mark)
  return Promise.all(
    readers.map(async (reader) => {
      const seen: string[] = []
      for (let text = await reader.next(); text !== textOf(mark); text = await reader.next()) seen.push(text)
      return seen
    }),
  )
}

function tally(seen: readonly string[], expected: readonly string[]): Tally {
  const known = new Set(expected)
  return {
    expected: expected.length,
    delivered: seen.filter((text) => known.has(text)).length,
    once: new Set(seen).size === seen.length,
    inOrder: isSame(seen, expected),
  }
}

function sum(tallies: readonly Tally[]): Tally {
  return {
    expected: tallies.reduce((total, { expected }) => total + expected, 0),
    delivered: tallies.reduce((total, { delivered }) => total + delivered, 0),
    once: tallies.every(({ once }) => once),
    inOrder: tallies.every(({ inOrder }) => inOrder),
  }
}

function textOf(event: Event): string {
  return writeEvent(event) ?? ''
}

function count(texts: readonly string[], text: string): number {
  return texts.filter((each) => each === text).length
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i])
}
