/** Figures of one relay: acknowledged publishes, deliveries, and the limit they stand beside. */
import { setMaxListeners } from 'node:events'
import type { Client } from '@aetherkit/client'
import {
  createClock,
  type Event,
  fromHex,
  generateSecretKey,
  publicKeyOf,
  signEvent,
  verifyDigest,
} from '@aetherkit/core'
import { CommandError } from './exit.js'

export interface BenchOptions {
  readonly events: number
  /** Bytes of content. */
  readonly size: number
  readonly subscribers: number
  readonly window: number
  readonly kind: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export interface Figures {
  readonly count: number
  readonly per_second: number
  readonly p50_ms: number
  readonly p99_ms: number
}

export interface BenchReport {
  readonly limit: { readonly signatures_per_second: number }
  /** From a publish to its acknowledgement, with nobody subscribed. */
  readonly publish: Figures
  /** From a publish to its delivery, over all subscribers. */
  readonly deliver: Figures
}

/** How long signatures are checked for the limit, ms. */
const LIMIT_MS = 500

/** `open`: a connection of its own, each time. Rejects as the client does. */
export async function measure(open: () => Promise<Client>, options: BenchOptions): Promise<BenchReport> {
  const secretKey = generateSecretKey()
  const clients: Client[] = []
  try {
    const publisher = await open()
    clients.push(publisher)
    const limit = { signatures_per_second: signatureLimit(secretKey) }
    const publish = await publishAll(publisher, sign(secretKey, options), options)
    for (let i = 0; i < options.subscribers; i++) clients.push(await open())
    const subscribers = clients.slice(1)
    return { limit, publish, deliver: await deliverAll(publisher, subscribers, secretKey, options) }
  } finally {
    await Promise.all(clients.map((client) => client.close()))
  }
}

/** Signatures that one core checks in a second. */
function signatureLimit(secretKey: Uint8Array): number {
  const { id, pubkey, sig } = signEvent({ kind: 1, createdAt: 0n }, secretKey)
  const [digest, key, signature] = [fromHex(id), fromHex(pubkey), fromHex(sig)]
  const begin = performance.now()
  let checked = 0
  while (performance.now() < begin + LIMIT_MS) {
    for (let i = 0; i < 16; i++) verifyDigest(signature, digest, key)
    checked += 16
  }
  return (checked * 1000) / (performance.now() - begin)
}

async function publishAll(
  client: Client,
  events: readonly Event[],
  { window, timeoutMs, signal }: BenchOptions,
  onSent?: (event: Event) => void,
): Promise<Figures> {
  const latencies: number[] = []
  let next = 0
  const worker = async () => {
    for (let event = events[next++]; event !== undefined; event = events[next++]) {
      const begin = performance.now()
      onSent?.(event)
      await client.publish(event, { timeoutMs, signal })
      latencies.push(performance.now() - begin)
    }
  }
  const begin = performance.now()
  await Promise.all(Array.from({ length: window }, worker))
  return figures(latencies, performance.now() - begin)
}

async function deliverAll(
  publisher: Client,
  subscribers: readonly Client[],
  secretKey: Uint8Array,
  options: BenchOptions,
): Promise<Figures> {
  const { kind, timeoutMs, signal, events: count } = options
  const stop = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs + count * subscribers.length)])
  setMaxListeners(0, stop)
  const filter = { authors: [publicKeyOf(secretKey)], kinds: [kind] }
  const sent = new Map<string, number>()
  const latencies: number[] = []
  const readers = await Promise.all(
    subscribers.map(async (client) => {
      const subscription = client.subscribe(filter, { signal: stop, outdated: true, maxBuffer: count })
      await subscription.stored
      return subscription
    }),
  )
  const read = readers.map(async (subscription) => {
    let left = count
    for await (const { id } of subscription) {
      const begin = sent.get(id)
      if (begin !== undefined) latencies.push(performance.now() - begin)
      if (--left === 0) return
    }
    throw new CommandError('rejected', `the relay ended a subscription with ${left} events to come`)
  })
  const events = sign(secretKey, options)
  const begin = performance.now()
  try {
    await Promise.all([
      publishAll(publisher, events, options, ({ id }) => sent.set(id, performance.now())),
      ...read,
    ])
  } catch (error) {
    if (stop.aborted && !signal.aborted)
      throw new CommandError('timeout', 'not all events were delivered in time')
    throw error
  }
  return figures(latencies, performance.now() - begin)
}

function sign(secretKey: Uint8Array, { events, size, kind }: BenchOptions): Event[] {
  const clock = createClock()
  const content = 'x'.repeat(size)
  return Array.from({ length: events }, () => signEvent({ kind, content, createdAt: clock() }, secretKey))
}

function figures(latencies: number[], ms: number): Figures {
  const sorted = Float64Array.from(latencies).sort()
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
  return { count: sorted.length, per_second: (sorted.length * 1000) / ms, p50_ms: at(0.5), p99_ms: at(0.99) }
}
