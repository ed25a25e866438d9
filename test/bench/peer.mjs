/** One client of the relay: hello, subscribe, and telling what comes back apart without decoding it. */
import { codeByNumber, decodeFrame, encodeFrame, writeFilter, writeJson } from '@aetherkit/core'
import { BINARY, clientFrame, FrameReader, openSocket, TEXT } from './websocket.mjs'

/** Body types of a frame, in the order of the union in schemas/frame.fbs. */
export const BODY = { welcome: 2, accepted: 4, rejected: 5, subscribed: 7, deliver: 9, end: 10, closed: 11 }

/**
 * The body type of an `aether.v2` frame, from its first field: root -> table -> vtable entry 0.
 * Only for frames of our own relay: nothing is checked.
 */
export function bodyType(frame) {
  const table = frame.readUInt32LE(0)
  const vtable = table - frame.readInt32LE(table)
  return frame[table + frame.readUInt16LE(vtable + 4)]
}

/**
 * Connects and says hello; resolves after the welcome. `listener.frame(payload, opcode, frameBytes)` then gets
 * every frame; `listener.bytes(view)`, when there is one, gets the raw bytes instead.
 */
export async function openPeer(port, format, listener = {}) {
  let welcomed
  let opening = true
  const welcome = new Promise((resolve, reject) => {
    welcomed = { resolve, reject }
  })
  const reader = new FrameReader((payload, opcode, frameBytes) => {
    if (opening) {
      opening = false
      // In an envelope the JSON is the end of the payload.
      const text = payload.toString('utf8', payload.indexOf('{'))
      if (text.includes('"type":"welcome"')) welcomed.resolve(JSON.parse(text))
      else welcomed.reject(new Error(`no welcome: ${text}`))
    } else listener.frame?.(payload, opcode, frameBytes)
  })
  const socket = await openSocket(port, (view) => {
    if (opening || listener.bytes === undefined) reader.push(view)
    else listener.bytes(view)
  })
  reader.socket = socket
  socket.on('closeFrame', (code, reason) => {
    socket.cut = `${code} ${reason}`
    listener.cut?.(socket.cut)
  })
  const hello = { type: 'hello', version: 1, formats: [format], noise: { required: false }, features: [] }
  socket.write(clientFrame(JSON.stringify(hello), TEXT))
  const { format: agreed } = await within(welcome, 'welcome')
  if (agreed !== format) throw new Error(`asked for ${format}, the relay chose ${agreed}`)
  return socket
}

/** A ready frame that subscribes. */
export function subscribeFrame(format, sub, filters) {
  if (format === 'aether.v2') return clientFrame(encodeFrame({ type: 'subscribe', sub, filters }), BINARY)
  const message = { type: 'subscribe', sub_id: `${sub}`, filters: filters.map(writeFilter) }
  return clientFrame(writeJson(message), TEXT)
}

/** Subscribes on an open peer; resolves after `subscribed`. `listener` is the one the peer was opened with. */
export function subscribe(socket, listener, format, sub, filters) {
  const { frame, bytes } = listener
  const done = new Promise((resolve, reject) => {
    listener.bytes = undefined
    listener.frame = (payload) => {
      if (isSubscribed(payload, format)) resolve()
      else reject(new Error(`not subscribed: ${describe(payload, format)}`))
    }
  })
  socket.write(subscribeFrame(format, sub, filters))
  return within(done, 'subscribed').then(() => Object.assign(listener, { frame, bytes }))
}

function isSubscribed(payload, format) {
  return format === 'aether.v2'
    ? bodyType(payload) === BODY.subscribed
    : payload.includes('"type":"subscribed"')
}

/** For error messages. */
export function describe(payload, format) {
  if (format !== 'aether.v2') return payload.toString().slice(0, 300)
  const decoded = decodeFrame(Uint8Array.from(payload))
  if (!decoded.ok) return `undecodable frame: ${decoded.error}`
  const { frame } = decoded
  const code = frame.code === undefined ? '' : ` ${codeByNumber(frame.code)}`
  return `${frame.type}${code} ${frame.message ?? ''}`
}

export function within(promise, what, milliseconds = 30_000) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} in ${milliseconds / 1000} s`)), milliseconds)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
