/**
 * Child of fanout.mjs: the publisher and all subscribers. Ephemeral events, so that the disk plays no part; the
 * publisher keeps a window before the slowest subscriber, so nobody is cut for being slow.
 */
import { makeEvents, makeKeys, publishFrames } from './events.mjs'
import { answer } from './load-child.mjs'
import { BODY, bodyType, describe, openPeer, subscribe, within } from './peer.mjs'
import { FrameReader, FrameTape, openSocket } from './websocket.mjs'

const FORMAT = 'aether.v2'
const KIND = 20_001
const CONTENT_BYTES = 400
/** Publishes not answered yet, as many as the relay reads ahead (spec 7.3). */
const UNACKED = 256

answer({
  async relay({ port, subscribers, ms, most }) {
    const events = makeEvents({ count: most, keys: makeKeys(16), kind: KIND, contentBytes: CONTENT_BYTES })
    const tape = new FrameTape(publishFrames(events, FORMAT))
    const window = subscribers >= 1000 ? 128 : 512
    const counts = new Float64Array(subscribers)
    const sockets = []
    let frameBytes = 0
    let cut = 0
    let failure

    for (let s = 0; s < subscribers; s++) {
      const listener = { cut: () => cut++ }
      const socket = await openPeer(port, FORMAT, listener)
      await subscribe(socket, listener, FORMAT, 1, [{ kinds: [KIND] }])
      // Deliver frames of equal events have equal length: counting bytes is counting frames. The first one reads them.
      const reader = new FrameReader((payload, _opcode, bytes) => {
        if (bodyType(payload) !== BODY.deliver) failure ??= new Error(describe(payload, FORMAT))
        if (frameBytes !== 0 && bytes !== frameBytes) failure ??= new Error('frames differ in length')
        frameBytes = bytes
      })
      listener.bytes = (view) => {
        counts[s] += view.length
        if (s === 0) reader.push(view)
        wake()
      }
      sockets.push(socket)
    }

    let acked = 0
    let sent = 0
    let awake = false
    let done
    const finished = new Promise((resolve) => {
      done = resolve
    })
    const publisher = await openPeer(port, FORMAT, {
      cut: () => cut++,
      frame: (payload) => {
        if (bodyType(payload) !== BODY.accepted) failure ??= new Error(describe(payload, FORMAT))
        acked++
        wake()
      },
    })
    sockets.push(publisher)
    let over = false
    function wake() {
      if (awake) return
      awake = true
      setImmediate(step)
    }
    function step() {
      awake = false
      if (failure !== undefined || cut > 0) return done()
      const slowest =
        frameBytes === 0 ? 0 : counts.reduce((least, count) => Math.min(least, count)) / frameBytes
      const to = over ? sent : Math.min(tape.length, Math.floor(slowest) + window, acked + UNACKED)
      if (to > sent) publisher.write(tape.slice(sent, to))
      sent = Math.max(sent, to)
      if ((over || sent === tape.length) && slowest === sent) done()
    }

    const total = () => counts.reduce((sum, count) => sum + count, 0)
    const begun = performance.now()
    let first
    let last
    wake()
    const warm = setTimeout(() => {
      first = { at: performance.now(), bytes: total() }
    }, ms / 4)
    const end = setTimeout(() => {
      over = true
      last = { at: performance.now(), bytes: total() }
      wake()
    }, ms)
    await within(finished, 'deliveries', ms + 30_000)
    clearTimeout(warm)
    clearTimeout(end)
    last ??= { at: performance.now(), bytes: total() }
    first ??= { at: begun, bytes: 0 }
    for (const socket of sockets) socket.destroy()
    if (failure !== undefined) throw failure
    const rate = ((last.bytes - first.bytes) / frameBytes / (last.at - first.at)) * 1000
    return { rate, events: rate / subscribers, frameBytes, cut }
  },

  async raw({ port, subscribers, ms, frameBytes }) {
    let bytes = 0
    const sockets = []
    for (let s = 0; s < subscribers; s++)
      sockets.push(
        await openSocket(port, (view) => {
          bytes += view.length
        }),
      )
    sockets[0].write(START)
    await pause(ms / 4)
    const before = { bytes, at: performance.now() }
    await pause(ms)
    const rate = ((bytes - before.bytes) / frameBytes / (performance.now() - before.at)) * 1000
    for (const socket of sockets) socket.destroy()
    return { rate }
  },
})

/** An empty ping of a client, masked: the bare server begins when it gets one. */
const START = Buffer.from([0x89, 0x80, 0, 0, 0, 0])

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
