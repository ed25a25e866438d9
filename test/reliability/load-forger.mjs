/** Child: connections that publish events with bad signatures as fast as the relay answers, until told to stop. */
import { codeByNumber, decodeFrame } from '@aetherkit/core'
import { makeEvents, makeKeys, publishFrames } from '../bench/events.mjs'
import { answer } from '../bench/load-child.mjs'
import { BODY, bodyType, openPeer } from '../bench/peer.mjs'
import { FrameTape } from '../bench/websocket.mjs'

const FORMAT = 'aether.v2'
/** One event is refused as often as it is offered: a tape of these can go round. */
const EVENTS = 5000

let tape
const codes = {}
let accepted = 0
let closed = 0
let begun = 0
let isOver = false
const sockets = new Set()

answer({
  make({ contentBytes, kind }) {
    const events = makeEvents({ count: EVENTS, keys: makeKeys(16), kind, contentBytes })
    // The right form and the right id: nothing cheaper than the signature tells.
    const forged = events.map((event, i) => ({ ...event, sig: events[(i + 1) % EVENTS].sig }))
    tape = new FrameTape(publishFrames(forged, FORMAT))
  },

  /** Each connection has `window` publishes under way; one that the relay closes comes back. */
  async start({ port, connections, window }) {
    begun = performance.now()
    for (let i = 0; i < connections; i++) await play(port, window)
  },

  stop() {
    isOver = true
    for (const socket of sockets) socket.destroy()
    const refused = Object.values(codes).reduce((sum, times) => sum + times, 0)
    return { accepted, codes, closed, rate: (refused * 1000) / (performance.now() - begun) }
  },
})

async function play(port, window) {
  let next = Math.floor(Math.random() * EVENTS)
  let owed = 0
  let scheduled = false
  const send = () => {
    scheduled = false
    while (owed > 0) {
      const to = Math.min(EVENTS, next + owed)
      socket.write(tape.slice(next, to))
      owed -= to - next
      next = to % EVENTS
    }
  }
  const socket = await openPeer(port, FORMAT, {
    frame(payload) {
      owed++
      if (bodyType(payload) === BODY.accepted) accepted++
      else {
        const decoded = decodeFrame(Uint8Array.from(payload))
        const code = codeByNumber(decoded.frame?.code) ?? 'unreadable'
        codes[code] = (codes[code] ?? 0) + 1
      }
      if (scheduled) return
      scheduled = true
      setImmediate(send)
    },
  })
  sockets.add(socket)
  socket.once('close', () => {
    sockets.delete(socket)
    if (isOver) return
    closed++
    play(port, window).catch(() => {})
  })
  owed = window
  send()
}
