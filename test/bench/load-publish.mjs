/** Child of publish.mjs: closed loop, a window of publishes under way on each connection. */
import { makeEvents, makeKeys, publishFrames } from './events.mjs'
import { answer } from './load-child.mjs'
import { BODY, bodyType, describe, openPeer, within } from './peer.mjs'
import { FrameTape } from './websocket.mjs'

let tape

answer({
  make({ count, keys, format, kind, contentBytes }) {
    const events = makeEvents({ count, keys: makeKeys(keys), kind, contentBytes })
    tape = new FrameTape(publishFrames(events, format))
  },

  /** The rate counts from a fifth of the way until the frames or the time run out: the window is full throughout. */
  async run({ port, format, connections, window, ms }) {
    const share = Math.floor(tape.length / connections)
    let acked = 0
    let sent = 0
    let first
    let last
    let finish
    let fail
    const finished = new Promise((resolve, reject) => {
      finish = resolve
      fail = reject
    })
    const sockets = []
    const begun = { at: 0 }

    for (let c = 0; c < connections; c++) {
      const end = (c + 1) * share
      let next = c * share
      let owed = 0
      let scheduled = false
      const send = () => {
        scheduled = false
        const to = Math.min(end, next + owed)
        if (to > next) socket.write(tape.slice(next, to))
        sent += to - next
        owed = 0
        next = to
        // Once a connection has nothing left to send the window is no longer full.
        if (next === end && last === undefined) last = { at: performance.now(), acked }
        if (acked === sent && sent === connections * share) finish()
      }
      const socket = await openPeer(port, format, {
        cut: (reason) => fail(new Error(`the relay closed a publisher: ${reason}`)),
        frame: (payload) => {
          if (!isAck(payload, format)) return fail(new Error(`no ack: ${describe(payload, format)}`))
          acked++
          owed++
          if (first === undefined && (acked * 5 >= tape.length || performance.now() - begun.at >= ms / 5))
            first = { at: performance.now(), acked }
          if (scheduled) return
          scheduled = true
          setImmediate(send)
        },
      })
      sockets.push({
        socket,
        start: () => {
          owed = window
          send()
        },
      })
    }

    begun.at = performance.now()
    for (const { start } of sockets) start()
    const timer = setTimeout(finish, ms)
    await within(finished, 'acks', ms + 30_000)
    clearTimeout(timer)
    last ??= { at: performance.now(), acked }
    for (const { socket } of sockets) socket.destroy()
    if (first === undefined || last.acked <= first.acked)
      throw new Error(`only ${acked} acks in ${ms} ms, too few for a rate`)
    const seconds = (performance.now() - begun.at) / 1000
    return { rate: ((last.acked - first.acked) * 1000) / (last.at - first.at), seconds, acked }
  },
})

function isAck(payload, format) {
  return format === 'aether.v2' ? bodyType(payload) === BODY.accepted : payload.includes('"type":"ack"')
}
