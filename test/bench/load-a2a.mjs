/** Child of a2a.mjs: callers over kept connections, and over Aether events. Everything is signed before the clock starts. */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { Agent, request as httpRequest } from 'node:http'
import { answer } from './load-child.mjs'

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const HEADERS = { 'content-type': 'application/json', 'a2a-version': '1.0' }

const agents = new Map()
const agentOf = (sockets) => {
  if (!agents.has(sockets)) agents.set(sockets, new Agent({ keepAlive: true, maxSockets: sockets }))
  return agents.get(sockets)
}

function open(url, body, sockets) {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(url, { method: 'POST', headers: HEADERS, agent: agentOf(sockets) }, resolve)
    asked.on('error', reject)
    asked.end(body)
  })
}

async function read(response) {
  const chunks = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const post = async (url, body, sockets = 1) => JSON.parse(await read(await open(url, body, sockets)))

const envelope = (method, params) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
const message = (text) => ({
  message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text }] },
})

/** Runs the bodies, so many at once; seconds. Each answer must have a result. */
async function run(url, bodies, concurrency) {
  let next = 0
  const begun = performance.now()
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < bodies.length) {
        const { error } = await post(url, bodies[next++], concurrency)
        if (error !== undefined) throw new Error(JSON.stringify(error))
      }
    }),
  )
  return (performance.now() - begun) / 1000
}

function base58(bytes) {
  let value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  let text = ''
  for (; value > 0n; value /= 58n) text = ALPHABET[Number(value % 58n)] + text
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(zeros) + text
}

/** RFC 8785 for what is signed here. */
function jcs(value) {
  if (typeof value !== 'object') return JSON.stringify(value)
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${jcs(value[key])}`).join(',')}}`
}

function wallet(at) {
  const seed = Buffer.alloc(32, at + 1)
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(key)
  return { key, publicKey, address: base58(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)) }
}

/** By 32 senders in turn: one of them alone may not ask so often. */
function signedRequests(count) {
  const wallets = Array.from({ length: 32 }, (_, at) => wallet(at + 20))
  const to = wallet(6).address
  return Array.from({ length: count }, (_, at) => {
    const { key, publicKey, address: from } = wallets[at % wallets.length]
    const timestamp = new Date().toISOString()
    const params = {
      from,
      to,
      action: 'echo',
      payload: { text: 'hello' },
      timestamp,
      nonce: `${at}-${crypto.randomUUID()}`,
    }
    const text = Buffer.from(jcs(params))
    const signature = sign(null, text, key)
    return {
      text,
      signature,
      publicKey,
      body: envelope('agent.request', { ...params, signature: base58(signature) }),
    }
  })
}

let transport

answer({
  async rate({ url, count, concurrency }) {
    const bodies = (n) => Array.from({ length: n }, () => envelope('SendMessage', message('hello')))
    await run(url, bodies(count / 4), concurrency)
    return count / (await run(url, bodies(count), concurrency))
  },
  /** Requests and, alone, checks of their signatures, per second. */
  async requests({ url, count, concurrency }) {
    const warm = signedRequests(count / 4)
    await run(
      url,
      warm.map(({ body }) => body),
      concurrency,
    )
    const made = signedRequests(count)
    const seconds = await run(
      url,
      made.map(({ body }) => body),
      concurrency,
    )
    const begun = performance.now()
    for (const { text, signature, publicKey } of made)
      if (!verify(null, text, publicKey, signature)) throw new Error('a good signature was refused')
    return { requests: count / seconds, checks: (count * 1000) / (performance.now() - begun) }
  },
  /** Seconds until the whole stream, or the one answer, is here. */
  async whole({ url, text, method }) {
    const begun = performance.now()
    const answered = (await read(await open(url, envelope(method, message(text)), 2))).toString()
    if (!answered.includes('TASK_STATE_COMPLETED')) throw new Error(answered.slice(0, 300))
    return (performance.now() - begun) / 1000
  },
  /** A reader that takes nothing while the agent works: resolves when it was let go or has waited for `ms`. */
  async paused({ url, text, ms }) {
    const response = await open(url, envelope('SendStreamingMessage', message(text)), Infinity)
    response.pause()
    await new Promise((resolve) => setTimeout(resolve, ms))
    response.destroy()
  },
  /** Milliseconds of each cancel of work that runs. */
  async cancels({ url, count }) {
    const took = []
    for (let at = 0; at < count; at++) {
      const stream = await open(url, envelope('SendStreamingMessage', message('wait')), Infinity)
      const first = await new Promise((resolve) => stream.once('data', resolve))
      const { id } = JSON.parse(String(first).slice(6).split('\n')[0]).result.task
      stream.resume()
      const begun = performance.now()
      const { result, error } = await post(url, envelope('CancelTask', { id }))
      took.push(performance.now() - begun)
      if (result?.status?.state !== 'TASK_STATE_CANCELED') throw new Error(JSON.stringify(error ?? result))
    }
    return took
  },
  /** Milliseconds of each call, one after the other. */
  async calls({ url, count }) {
    const took = []
    for (let at = 0; at < count * 1.2; at++) {
      const begun = performance.now()
      const { error } = await post(url, envelope('SendMessage', message('hello')))
      if (error !== undefined) throw new Error(JSON.stringify(error))
      took.push(performance.now() - begun)
    }
    return took.slice(count * 0.2)
  },
  async join({ relay, to }) {
    const [{ connect }, { aetherTransport }] = await Promise.all([
      import('@aetherkit/client'),
      import('@aetherkit/a2a'),
    ])
    transport = aetherTransport(await connect(relay), to)
  },
  async eventCalls({ count }) {
    const took = []
    for (let at = 0; at < count * 1.2; at++) {
      const begun = performance.now()
      const { error } = await transport.call(JSON.parse(envelope('SendMessage', message('hello'))))
      if (error !== undefined) throw new Error(JSON.stringify(error))
      took.push(performance.now() - begun)
    }
    return took.slice(count * 0.2)
  },
})
