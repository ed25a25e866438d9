/**
 * Thread of load-latency.mjs: publishes event i at start + i / rate, whatever comes back. Sleeps in Atomics.wait,
 * which wakes within about 0.1 ms where a timer takes 1, and lets the event loop read the acks in between.
 */
import { parentPort } from 'node:worker_threads'
import { makeEvents, makeKeys, publishFrames } from './events.mjs'
import { BODY, bodyType, describe, openPeer } from './peer.mjs'
import { FrameTape, openSocket } from './websocket.mjs'

const CONTENT_BYTES = 400
const LONGEST_SLEEP_MS = 5
const still = new Int32Array(new SharedArrayBuffer(4))

parentPort.once('message', async ({ port, rate, count, kind, tag, bare, format }) => {
  const about = { kind, contentBytes: CONTENT_BYTES, tags: [['t', tag]] }
  const events = makeEvents({ count, keys: makeKeys(16), ...about })
  const tape = new FrameTape(publishFrames(events, format))
  const socket = bare
    ? await openSocket(port, () => undefined)
    : await openPeer(port, format, { frame: onReply })
  globalThis.gc?.()

  const interval = 1e9 / rate
  const lates = new Float64Array(count)
  const startNs = Number(process.hrtime.bigint()) + 20e6
  let next = 0
  const step = () => {
    const now = Number(process.hrtime.bigint())
    const due = Math.min(count, Math.floor((now - startNs) / interval) + 1)
    if (due > next) {
      for (let i = next; i < due; i++) lates[i] = (now - (startNs + i * interval)) / 1e6
      socket.write(tape.slice(next, due))
      next = due
    }
    if (socket.lost || socket.cut !== undefined)
      throw new Error(`publisher cut off: ${socket.cut ?? 'connection lost'}`)
    if (next === count) {
      lates.sort()
      parentPort.postMessage({ startNs, lateP99: lates[Math.floor(count * 0.99)] })
      return
    }
    const left = (startNs + next * interval - Number(process.hrtime.bigint())) / 1e6
    if (left > 0.02) Atomics.wait(still, 0, 0, Math.min(left, LONGEST_SLEEP_MS))
    setImmediate(step)
  }
  step()

  function onReply(payload) {
    if (bodyType(payload) !== BODY.accepted) throw new Error(`no ack: ${describe(payload, format)}`)
  }
})
