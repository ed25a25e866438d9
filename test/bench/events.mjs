/** Signed events by the thousand: ids by core, signatures by libsodium, frames made before the clock starts. */
import { encodeFrame, eventId, toHex, writeEvent } from '@aetherkit/core'
import sodium from 'sodium-native'
import { BINARY, clientFrame, TEXT } from './websocket.mjs'

/** Begins the content of every event; its number follows. */
export const MARK = 'bench#'
const LETTERS = 'abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 '

export function makeKeys(count) {
  return Array.from({ length: count }, () => {
    const publicKey = Buffer.alloc(sodium.crypto_sign_PUBLICKEYBYTES)
    const secretKey = Buffer.alloc(sodium.crypto_sign_SECRETKEYBYTES)
    sodium.crypto_sign_keypair(publicKey, secretKey)
    return { publicKey: toHex(publicKey), secretKey }
  })
}

/** `count` signed events of now, keys in turn; content is `contentBytes` of text that begins with the event's number. */
export function makeEvents({ count, keys, kind, contentBytes, tags = [['t', 'bench']] }) {
  const signature = Buffer.alloc(sodium.crypto_sign_BYTES)
  const start = BigInt(Date.now()) * 1_000_000n
  const filler = LETTERS.repeat(Math.ceil(contentBytes / LETTERS.length) + 1)
  return Array.from({ length: count }, (_, i) => {
    const { publicKey, secretKey } = keys[i % keys.length]
    const text = `${MARK}${i} ${filler.slice(i % LETTERS.length)}`.slice(0, contentBytes)
    const unsigned = {
      pubkey: publicKey,
      createdAt: start + BigInt(i),
      kind,
      tags,
      content: Buffer.from(text),
    }
    const id = eventId(unsigned)
    sodium.crypto_sign_detached(signature, Buffer.from(id, 'hex'), secretKey)
    return { ...unsigned, id, sig: toHex(signature) }
  })
}

/** Ready masked WebSocket frames that publish the events. */
export function publishFrames(events, format) {
  return events.map((event) =>
    format === 'json'
      ? clientFrame(`{"type":"publish","event":${writeEvent(event)}}`, TEXT)
      : clientFrame(encodeFrame({ type: 'publish', event }), BINARY),
  )
}

/** The number that {@link makeEvents} gave the event inside `payload`, whatever the wire form; -1 for none. */
export function eventNumber(payload) {
  let at = payload.indexOf(MARK, 0, 'latin1')
  if (at < 0) return -1
  at += MARK.length
  let value = 0
  for (let digit = payload[at] - 48; digit >= 0 && digit <= 9; digit = payload[++at] - 48)
    value = value * 10 + digit
  return value
}
