/** Child of store.mjs: a client that asks a relay, from the subscribe to the end mark. */
import { answer } from './load-child.mjs'
import { BODY, bodyType, describe, openPeer, subscribeFrame, within } from './peer.mjs'
import { queries } from './stored-events.mjs'

const FORMAT = 'aether.v2'
const LIMIT = 500

answer({
  async measure({ port, events, rounds }) {
    const listener = {}
    const socket = await openPeer(port, FORMAT, listener)
    const found = {}
    let sub = 0
    for (let round = 0; round < rounds; round++) {
      for (const [name, filter] of Object.entries(queries(events, round))) {
        const frame = subscribeFrame(FORMAT, ++sub % 200, [{ ...filter, limit: LIMIT }])
        let delivered = 0
        const end = new Promise((resolve, reject) => {
          listener.frame = (payload) => {
            const type = bodyType(payload)
            if (type === BODY.deliver) delivered++
            else if (type === BODY.end) resolve()
            else if (type !== BODY.subscribed) reject(new Error(describe(payload, FORMAT)))
          }
        })
        const begun = performance.now()
        socket.write(frame)
        await within(end, `answer to the query by ${name}`)
        found[name] ??= { times: [], least: LIMIT }
        found[name].times.push(performance.now() - begun)
        found[name].least = Math.min(found[name].least, delivered)
      }
    }
    socket.destroy()
    return Object.fromEntries(
      Object.entries(found).map(([name, { times, least }]) => {
        const sorted = times.sort((a, b) => a - b)
        return [name, { p50: sorted[sorted.length >> 1], worst: sorted.at(-1), found: least }]
      }),
    )
  },
})
