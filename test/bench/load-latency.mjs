/** Child of latency.mjs: the subscriber; the publisher is a thread of its own, so neither waits for the other. */
import { Worker } from 'node:worker_threads'
import { eventNumber } from './events.mjs'
import { answer } from './load-child.mjs'
import { openPeer, subscribe, within } from './peer.mjs'
import { FrameReader, openSocket } from './websocket.mjs'

const FORMAT = 'aether.v2'
/** How long an event may be under way after the last one was sent. */
const GRACE_MS = 10_000
/** Leading part of the run that does not count, in seconds. */
const WARM_SECONDS = 0.3

let runs = 0

answer({
  async measure({ port, rate, seconds, kind, bare = false }) {
    const warm = Math.floor(rate * WARM_SECONDS)
    const count = warm + Math.floor(rate * seconds)
    const arrivals = new Float64Array(count).fill(Number.NaN)
    let received = 0
    let complete
    const all = new Promise((resolve) => {
      complete = resolve
    })
    const onFrame = (payload) => {
      const now = Number(process.hrtime.bigint())
      const number = eventNumber(payload)
      if (number < 0 || !Number.isNaN(arrivals[number])) return
      arrivals[number] = now
      if (++received === count) complete()
    }
    // Events of an earlier run that are still under way carry another tag.
    const tag = `run-${++runs}`
    const socket = await subscriber(port, bare, { kinds: [kind], tags: [{ key: 't', any: [tag] }] }, onFrame)

    const publisher = new Worker(new URL('./load-pacer.mjs', import.meta.url))
    const failed = new Promise((_, reject) => publisher.once('error', reject))
    failed.catch(() => undefined)
    const said = () => Promise.race([new Promise((resolve) => publisher.once('message', resolve)), failed])
    publisher.postMessage({ port, rate, count, kind, tag, bare, format: FORMAT })
    const sent = await within(said(), 'end of publishing', seconds * 1000 + 90_000)
    await within(all, 'last event', GRACE_MS).catch(() => undefined)
    await publisher.terminate()
    socket.destroy()

    const interval = 1e9 / rate
    const delays = []
    for (let i = warm; i < count; i++) {
      const delay = (arrivals[i] - (sent.startNs + i * interval)) / 1e6
      // What never arrived counts as late as we waited.
      delays.push(Number.isNaN(delay) ? GRACE_MS : delay)
    }
    delays.sort((a, b) => a - b)
    const at = (share) => delays[Math.min(delays.length - 1, Math.floor(delays.length * share))]
    const ends = arrivals.filter((arrival) => !Number.isNaN(arrival))
    const span = (ends[ends.length - 1] - ends[0]) / 1e9
    return {
      p50: at(0.5),
      p99: at(0.99),
      sent: count,
      received,
      rate: (ends.length - 1) / span,
      lateP99: sent.lateP99,
    }
  },
})

async function subscriber(port, bare, filter, onFrame) {
  if (bare) {
    const reader = new FrameReader(onFrame)
    return openSocket(port, (view) => reader.push(view))
  }
  const listener = {}
  const socket = await openPeer(port, FORMAT, listener)
  await subscribe(socket, listener, FORMAT, 1, [filter])
  listener.frame = onFrame
  return socket
}
