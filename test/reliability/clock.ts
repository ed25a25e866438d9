/**
 * The relay's wall clock stepped an hour both ways while it runs. Stamps are judged by what it says (spec 3.1, step 4)
 * and so is expiration (2.6); connections, pings, heartbeats, rate limits and the order of events do not depend on it.
 */
import { createClock, type Event, type EventTemplate, generateSecretKey, signEvent } from '@aetherkit/core'
import { ask } from '../../relay/test/http-client.js'
import type { Case, Row, Scale } from './case.js'
import { Follower, IdlePeers } from './clock-peers.js'
import { overStream, overWebSocket } from './lines.js'
import { until } from './patience.js'
import { httpPublisher, nativePublisher, nostrPublisher, offer, type Publisher } from './publishers.js'
import { inWorkplace, type StartedRelay, type Workplace } from './workplace.js'

const HOUR_MS = 3_600_000
/** Off the true time, one after the other. */
const STEPS = [0, HOUR_MS, 0, -HOUR_MS, 0]
const [REGULAR, EPHEMERAL, EXPIRING] = [1, 20_001, 2]
const WINDOW = 'created_at_out_of_window'
/** Short, so that several fall due after each step. */
const LIMITS = { pingMs: 200, pongMs: 60_000, heartbeatMs: 200 }
const RATE = { capacity: 5, perSecond: 4 }
const EVENTS = { full: 25, short: 2 } as const

export const clock: Case = {
  name: 'clock',
  run: async (scale) => [
    ...(await inWorkplace((place) => stepping(place, scale))),
    ...(await inWorkplace(rateLimits)),
    ...(await inWorkplace(workDifficulty)),
  ],
}

async function stepping(place: Workplace, scale: Scale): Promise<readonly Row[]> {
  const relay = await place.relay({ config: { limits: LIMITS } })
  const publishers = [await nativePublisher(relay), httpPublisher(relay, true), await nostrPublisher(relay)]
  const idle = await IdlePeers.open(relay)
  const followers = await openFollowers(relay)
  const [stamps, expirations] = [new Tally(), new Tally()]
  const taken = new Set<string>()
  try {
    for (const step of STEPS) {
      await relay.step(step)
      for (const publisher of publishers)
        for (const own of [false, true])
          for (const kind of [REGULAR, EPHEMERAL]) {
            const stamped = { kind, step, own, count: EVENTS[scale] }
            for (const id of await publishStamped(publisher, stamped, stamps)) taken.add(id)
          }
      await idle.beat()
      for (const follower of followers) await follower.follow(taken.size)
      await publishExpiring(relay, step, expirations)
    }
    return [
      stamps.row(`${STEPS.length - 1} steps of 1 h both ways: true and own stamps`, 'as in spec 3.1'),
      expirations.row('  expiration, in publish and query', "by the relay's clock"),
      idle.row(),
      ...followers.map((follower) => follower.row(taken)),
    ]
  } finally {
    for (const publisher of publishers) publisher.close()
    for (const follower of followers) follower.close()
    idle.close()
  }
}

async function openFollowers(relay: StartedRelay): Promise<readonly Follower[]> {
  const filters = { kinds: [REGULAR, EPHEMERAL] }
  const { epoch } = (await ask(relay.ports.http, 'GET /v1/info')).json
  await ask(relay.ports.http, 'POST /v1/subscriptions', { body: { filters, subscription_id: 's' } })
  return [
    await Follower.open('ws by cursor', (seq) => overWebSocket(relay, `${epoch}-${seq}`, filters)),
    await Follower.open('SSE by Last-Event-ID', (seq) => overStream(relay, `${epoch}-${seq}`)),
  ]
}

/** How many were as they must be. */
class Tally {
  #right = 0
  #all = 0
  #wrong = ''

  note(isRight: boolean, what: () => string): void {
    this.#all++
    if (isRight) this.#right++
    else if (this.#wrong === '') this.#wrong = `, not: ${what()}`
  }

  row(done: string, must: string): Row {
    const figure = `${this.#right} of ${this.#all} ${must}${this.#wrong}`
    return { done, figure, must: 'all', isHeld: this.#right === this.#all && this.#all > 0 }
  }
}

async function publishStamped(
  publisher: Publisher,
  { kind, step, own, count }: { kind: number; step: number; own: boolean; count: number },
  tally: Tally,
): Promise<readonly string[]> {
  const events = Array.from({ length: count }, () => sign({ kind }, own ? step : 0))
  const ahead = own ? 0 : -step
  const expected = ahead > 0 || (ahead < 0 && kind === EPHEMERAL) ? WINDOW : 'taken'
  const verdicts = await publisher.publish(events.map(offer))
  for (const { isTaken, code } of verdicts) {
    const got = isTaken ? 'taken' : code
    tally.note(
      got === expected,
      () => `${publisher.surface}, kind ${kind}, ${ahead / HOUR_MS} h ahead: ${got}`,
    )
  }
  return verdicts.filter(({ isTaken }) => isTaken).map(({ id }) => id)
}

/** Events that are over half an hour off the true time, in either direction, and one that never is. */
async function publishExpiring(relay: StartedRelay, step: number, tally: Tally): Promise<void> {
  const publisher = httpPublisher(relay)
  try {
    for (const off of [-HOUR_MS / 2, HOUR_MS / 2, 24 * HOUR_MS]) {
      const expiration = `${Math.floor((Date.now() + off) / 1000)}`
      const event = sign({ kind: EXPIRING, tags: [['expiration', expiration]] }, step)
      const [verdict] = await publisher.publish([offer(event)])
      const isOver = off < step
      const got = verdict?.isTaken ? 'taken' : verdict?.code
      tally.note(
        got === (isOver ? 'expired' : 'taken'),
        () => `publish ${off - step} ms before it is over: ${got}`,
      )
      if (isOver) continue
      // What is taken now may be over after another step.
      tally.note(await isShown(relay, event), () => 'an event that is not over is not shown')
      for (const other of STEPS.filter((other) => off < other)) {
        await relay.step(other)
        tally.note(!(await isShown(relay, event)), () => 'an event that is over is shown')
        await relay.step(step)
      }
    }
  } finally {
    publisher.close()
  }
}

async function isShown({ ports }: StartedRelay, { id }: Event): Promise<boolean> {
  const { json } = await ask(ports.http, 'POST /v1/query', { body: { filters: { ids: [id] } } })
  return Array.isArray(json.events) && json.events.length === 1
}

/** A step neither keeps a key without its tokens nor gives it more than a full bucket. */
async function rateLimits(place: Workplace): Promise<readonly Row[]> {
  const rates = ['pubkey', 'connection', 'ip'].map((by) => ({ by, ...RATE }))
  const relay = await place.relay({ config: { policies: { rates } } })
  const publisher = await nativePublisher(relay)
  const [more, starved]: [string[], string[]] = [[], []]
  let [most, longest] = [0, 0]
  try {
    for (const step of [0, -HOUR_MS, 0, HOUR_MS, 0]) {
      await relay.step(step)
      const begun = performance.now()
      const burst = Array.from({ length: 4 * RATE.capacity }, () => offer(sign({}, step)))
      const verdicts = await publisher.publish(burst)
      const back = (RATE.perSecond * (performance.now() - begun)) / 1000
      const taken = verdicts.filter(({ isTaken }) => isTaken).length
      most = Math.max(most, taken)
      if (taken > RATE.capacity + Math.ceil(back)) more.push(`${taken}`)
      for (const { retryAfterMs = 0 } of verdicts) longest = Math.max(longest, retryAfterMs)
      const isTaken = async () => (await publisher.publish([offer(sign({}, step))]))[0]?.isTaken === true
      if (!(await until(isTaken, 30_000))) starved.push(`${step / HOUR_MS} h`)
    }
  } finally {
    publisher.close()
  }
  return [
    {
      done: '  rate limit of 5, then 4 a second: a burst a step',
      figure: `at most ${most} taken, wait at most ${longest} ms, ${starved.length} starved`,
      must: 'a bucket, 250 ms, 0',
      isHeld: more.length === 0 && starved.length === 0 && longest <= 1000 / RATE.perSecond,
    },
  ]
}

/** Load must fade after a step back as it would have without. */
async function workDifficulty(place: Workplace): Promise<readonly Row[]> {
  const work = { bits: 0, maxBits: 8, eventsPerSecond: 1 }
  const relay = await place.relay({ config: { policies: { work } } })
  const publisher = await nativePublisher(relay)
  const difficulty = async () => Number((await ask(relay.ports.http, 'GET /v1/info')).json.pow_difficulty)
  try {
    while ((await difficulty()) === 0) await publisher.publish([offer(sign({}))])
    const asked = await difficulty()
    await relay.step(-HOUR_MS)
    await publisher.publish([offer(sign({}, -HOUR_MS))])
    const isFaded = await until(async () => (await difficulty()) === 0, 60_000)
    return [
      {
        done: '  work asked for under load, then a step back',
        figure: `${asked} bits, ${isFaded ? 'and 0 when the load is gone' : 'and they stay'}`,
        must: '0 again',
        isHeld: isFaded,
      },
    ]
  } finally {
    publisher.close()
  }
}

const key = generateSecretKey()
const trueTime = createClock()

/** Stamped with the true time, or so many milliseconds off. */
function sign(template: Partial<EventTemplate>, off = 0): Event {
  return signEvent(
    { kind: REGULAR, content: 'x', ...template, createdAt: trueTime() + BigInt(off) * 1_000_000n },
    key,
  )
}
