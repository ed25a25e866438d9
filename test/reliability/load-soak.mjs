/** Child: subscribers on native and HTTP that come and go, and a publisher at a fixed rate, until told to stop. */

import { Agent, request } from 'node:http'
import { encodeFrame } from '@aetherkit/core'
import { makeEvents, makeKeys } from '../bench/events.mjs'
import { answer } from '../bench/load-child.mjs'
import { BODY, bodyType, describe, openPeer, subscribe } from '../bench/peer.mjs'
import { BINARY, clientFrame } from '../bench/websocket.mjs'

const FORMAT = 'aether.v2'
const TICK_MS = 20
const KIND = 1
const CONTENT_BYTES = 400
/** Subscribers at any time, of each surface, and how long each stays at most. */
const NATIVE = 20
const STREAMS = 5
const STAY_MS = 1500

const keys = makeKeys(16)
const agent = new Agent({ keepAlive: true, maxSockets: 50 })
const figures = { sent: 0, acked: 0, refused: 0, received: 0, subscribers: 0, failed: 0, failures: [] }
let isOver = false
let publishing
let lanes = []

answer({
  start({ port, httpPort }) {
    lanes = [
      ...Array.from({ length: NATIVE }, (_, lane) => again(() => comeAndGo(port, lane))),
      ...Array.from({ length: STREAMS }, () => again(() => stream(httpPort))),
    ]
  },

  async publish({ port, rate }) {
    const socket = await openPeer(port, FORMAT, {
      frame(payload) {
        if (bodyType(payload) === BODY.accepted) figures.acked++
        else {
          figures.refused++
          fail(describe(payload, FORMAT))
        }
      },
    })
    publishing = publish(socket, rate)
  },

  figures: () => figures,

  async stop() {
    isOver = true
    const socket = await publishing
    for (let i = 0; i < 3000 && figures.acked + figures.refused < figures.sent; i++) await sleep(10)
    await Promise.all(lanes)
    agent.destroy()
    socket.destroy()
    return figures
  },
})

/** The rate holds whatever comes back; what a busy machine delays is made up for, a second of it at most. */
async function publish(socket, rate) {
  let at = performance.now()
  let owed = 0
  while (!isOver) {
    await sleep(TICK_MS)
    const now = performance.now()
    owed = Math.min(rate, owed + ((now - at) * rate) / 1000)
    at = now
    const events = makeEvents({ count: Math.floor(owed), keys, kind: KIND, contentBytes: CONTENT_BYTES })
    owed -= events.length
    if (socket.lost || socket.cut !== undefined) {
      fail(`the publisher was cut off: ${socket.cut ?? 'connection lost'}`)
      break
    }
    if (events.length === 0) continue
    socket.write(
      Buffer.concat(events.map((event) => clientFrame(encodeFrame({ type: 'publish', event }), BINARY))),
    )
    figures.sent += events.length
  }
  return socket
}

async function again(visit) {
  while (!isOver)
    try {
      await visit()
      figures.subscribers++
    } catch (error) {
      fail(String(error))
      await sleep(100)
    }
}

/** Every other one goes without a word; every third asks for what is stored. */
async function comeAndGo(port, lane) {
  const listener = {
    frame(payload) {
      if (bodyType(payload) === BODY.deliver) figures.received++
    },
  }
  const socket = await openPeer(port, FORMAT, listener)
  const filter = lane % 2 === 0 ? { kinds: [KIND] } : { authors: [keys[lane % keys.length].publicKey] }
  const ask = lane % 3 === 0 ? { ...filter, limit: 50 } : filter
  await subscribe(socket, listener, FORMAT, 1, [ask])
  await sleep(STAY_MS * Math.random())
  if (lane % 2 === 0) socket.destroy()
  else {
    socket.end(clientFrame(Buffer.from([0x03, 0xe8]), 8))
    await new Promise((resolve) => socket.once('close', resolve))
  }
}

/** A subscription over HTTP, its stream for a while, and its end. */
async function stream(port) {
  const made = await ask(
    port,
    'POST',
    '/v1/subscriptions',
    `{"filters":{"authors":["${keys[0].publicKey}"]}}`,
  )
  const { subscription_id, owner } = JSON.parse(await textOf(made))
  const path = `/v1/stream?subscription_id=${subscription_id}`
  const response = await ask(port, 'GET', path)
  response.on('data', () => figures.received++).on('error', () => {})
  await sleep(STAY_MS * Math.random())
  response.destroy()
  const ended = await ask(port, 'DELETE', `/v1/subscriptions/${subscription_id}`, undefined, owner)
  await textOf(ended)
}

function ask(port, method, path, body, owner) {
  const headers = {
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(owner !== undefined && { authorization: `Bearer ${owner}` }),
  }
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent }, (response) => {
      if (response.statusCode === 200) resolve(response)
      else reject(new Error(`${method} ${path}: ${response.statusCode}`))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

async function textOf(response) {
  const chunks = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function fail(failure) {
  figures.failed++
  if (figures.failures.length < 5) figures.failures.push(failure)
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
