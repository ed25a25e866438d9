/** Child: connections with a subscription each that wait for an event. */
import { answer } from '../bench/load-child.mjs'
import { BODY, bodyType, openPeer, subscribe } from '../bench/peer.mjs'

const FORMAT = 'aether.v2'
/** Handshakes under way at once: fewer than any listen backlog. */
const AT_ONCE = 200

const sockets = []
/** Connections that got an event since {@link arm}. */
let arrived = 0
let awaited

answer({
  /** Resolves with how long they took, and with how many are there: those that failed are not. */
  open: ({ port, count }) => openAll(port, count),

  /** Cuts the first `count`, each without a word, and opens as many anew at once. */
  reconnect({ port, count }) {
    for (const socket of sockets.splice(0, count)) socket.destroy()
    return openAll(port, count)
  },

  arm() {
    arrived = 0
  },

  /** Resolves when every connection got an event, or after a minute; to how many did. */
  async arrived() {
    const deadline = performance.now() + 60_000
    while (arrived < sockets.length && performance.now() < deadline)
      await new Promise((resolve) => {
        awaited = resolve
        setTimeout(resolve, 100)
      })
    return { arrived, lost: sockets.filter((socket) => socket.lost || socket.cut !== undefined).length }
  },

  close() {
    for (const socket of sockets.splice(0)) socket.destroy()
  },
})

async function openAll(port, count) {
  const begun = performance.now()
  const failures = []
  let next = 0
  const line = async () => {
    while (next < count) {
      const agent = next++
      try {
        sockets.push(await openOne(port, agent))
      } catch (error) {
        failures.push(String(error))
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, line))
  return {
    open: sockets.length,
    failures: failures.length,
    failure: failures[0],
    ms: performance.now() - begun,
  }
}

async function openOne(port, agent) {
  const listener = {
    frame(payload) {
      if (bodyType(payload) !== BODY.deliver) return
      arrived++
      if (arrived >= sockets.length) awaited?.()
    },
  }
  const socket = await openPeer(port, FORMAT, listener)
  const tags = [{ key: 't', any: ['everyone', `agent-${process.pid}-${agent}`] }]
  await subscribe(socket, listener, FORMAT, 1, [{ kinds: [4100], tags }])
  return socket
}
