/** Child of memory.mjs: connections that do nothing, and subscriptions that match nothing. */
import { answer } from './load-child.mjs'
import { BODY, bodyType, describe, openPeer, subscribeFrame, within } from './peer.mjs'
import { openSocket } from './websocket.mjs'

const FORMAT = 'aether.v2'
/** Handshakes under way at once: fewer than any listen backlog. */
const AT_ONCE = 64

let sockets = []
let listeners = []
let subscribed = 0

answer({
  async connect({ port, connections, bare = false }) {
    let begun = 0
    const line = async () => {
      while (begun < connections) {
        begun++
        const listener = {}
        listeners.push(listener)
        sockets.push(bare ? await openSocket(port, () => undefined) : await openPeer(port, FORMAT, listener))
        listener.index = sockets.length - 1
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, line))
    if (sockets.some((socket) => socket.lost)) throw new Error('connections were lost')
  },

  async subscribe({ subscriptions, perConnection, same }) {
    const count = Math.ceil(subscriptions / perConnection)
    // Connections without subscriptions so far.
    const chosen = listeners.slice(subscribed, subscribed + count)
    if (chosen.length < count) throw new Error(`no ${count} connections left`)
    subscribed += count
    let open = 0
    let finish
    let fail
    const all = new Promise((resolve, reject) => {
      finish = resolve
      fail = reject
    })
    for (const [peer, listener] of chosen.entries()) {
      listener.frame = (payload) => {
        if (bodyType(payload) !== BODY.subscribed) fail(new Error(describe(payload, FORMAT)))
        else if (++open === count * perConnection) finish()
      }
      const frames = Array.from({ length: perConnection }, (_, sub) => {
        const topic = same ? 'one' : `agent-${peer}-${sub}`
        return subscribeFrame(FORMAT, sub + 1, [{ kinds: [21_000], tags: [{ key: 'p', any: [topic] }] }])
      })
      sockets[listener.index].write(Buffer.concat(frames))
    }
    await within(all, 'subscriptions', 60_000)
  },

  close() {
    for (const socket of sockets) socket.destroy()
    sockets = []
    listeners = []
    subscribed = 0
  },
})
