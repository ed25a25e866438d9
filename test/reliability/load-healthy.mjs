/** Child: a healthy publisher, 100 events a second whatever comes back, and how long each waits for its ack. */
import { encodeFrame } from '@aetherkit/core'
import { makeEvents, makeKeys } from '../bench/events.mjs'
import { answer } from '../bench/load-child.mjs'
import { BODY, bodyType, describe, openPeer } from '../bench/peer.mjs'
import { BINARY, clientFrame } from '../bench/websocket.mjs'

const FORMAT = 'aether.v2'
const INTERVAL_MS = 10

const keys = makeKeys(1)
let socket
let timer
let times = []
let refused = 0
/** When each publish without an answer was sent; answers come in order. */
const open = []

answer({
  async open({ port }) {
    socket = await openPeer(port, FORMAT, {
      frame(payload) {
        times.push(performance.now() - open.shift())
        if (bodyType(payload) === BODY.accepted) return
        refused++
        console.error(`a healthy publisher is told ${describe(payload, FORMAT)}`)
      },
    })
    timer = setInterval(() => {
      const [event] = makeEvents({ count: 1, keys, kind: 1, contentBytes: 400 })
      const frame = clientFrame(encodeFrame({ type: 'publish', event }), BINARY)
      open.push(performance.now())
      socket.write(frame)
    }, INTERVAL_MS)
  },

  /** Since the last mark. Milliseconds; what still waits counts with its age. */
  mark() {
    if (socket.lost || socket.cut !== undefined)
      throw new Error(`cut off: ${socket.cut ?? 'connection lost'}`)
    const now = performance.now()
    const overdue = open.map((sent) => now - sent)
    const sorted = [...times, ...overdue].sort((a, b) => a - b)
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    const figures = { acked: times.length - refused, refused, p50: at(0.5), p99: at(0.99), worst: at(1) }
    times = []
    refused = 0
    return figures
  },

  /** No more events; resolves when the last is answered. */
  async settle() {
    clearInterval(timer)
    while (open.length > 0 && !socket.lost) await new Promise((resolve) => setTimeout(resolve, 5))
  },

  close() {
    socket.destroy()
  },
})
