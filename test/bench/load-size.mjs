/** Child of size.mjs: one subscriber in each wire form, one event. */
import { canonicalSize, encodeEnvelope, encodeFrame, writeEvent } from '@aetherkit/core'
import { makeEvents, makeKeys } from './events.mjs'
import { answer } from './load-child.mjs'
import { openPeer, subscribe, within } from './peer.mjs'
import { clientFrame, TEXT } from './websocket.mjs'

const KIND = 20_001
/** Name in the table, name in the hello. */
const FORMS = [
  ['JSON', 'json'],
  ['JSON in FlatBuffers envelope', 'flatbuffers'],
  ['aether.v2', 'aether.v2'],
]

answer({
  async measure({ port, contentBytes }) {
    const [event] = makeEvents({ count: 1, keys: makeKeys(1), kind: KIND, contentBytes })
    const publish = `{"type":"publish","event":${writeEvent(event)}}`
    const published = {
      json: clientFrame(publish, TEXT),
      flatbuffers: clientFrame(encodeEnvelope(publish)),
      'aether.v2': clientFrame(encodeFrame({ type: 'publish', event })),
    }
    const sockets = []
    const arrivals = []
    for (const [, format] of FORMS) {
      const listener = {}
      const socket = await openPeer(port, format, listener)
      await subscribe(socket, listener, format, 1, [{ kinds: [KIND] }])
      arrivals.push(
        new Promise((resolve) => {
          listener.frame = (_payload, _opcode, frameBytes) => resolve(frameBytes)
        }),
      )
      sockets.push(socket)
    }
    const publisher = await openPeer(port, 'aether.v2')
    publisher.write(published['aether.v2'])
    const delivered = await within(Promise.all(arrivals), 'delivery in every form')
    for (const socket of [...sockets, publisher]) socket.destroy()
    return {
      canonical: canonicalSize(event),
      forms: FORMS.map(([name, format], i) => ({
        name,
        publish: published[format].length,
        deliver: delivered[i],
      })),
    }
  },
})
