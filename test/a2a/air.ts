/** A relay, an agent on it, and callers that seal and open frames by hand (spec a2a 5). */

import { type AgentOptions, type ServeOptions, serveOnAether } from '@aetherkit/a2a'
import { type Client, connect } from '@aetherkit/client'
import { createRelay } from '@aetherkit/relay'
import { vi } from 'vitest'
import { envelope, type Loose, later, openAgent, type Running } from './agent.js'
import { AGENT, CALLER } from './wallet.js'

export const KIND = 21013
/** Bytes of one piece of a long frame. */
const PIECE = 150_000

interface Frame {
  readonly v?: number
  readonly kind: string
  readonly id: string
  readonly seq?: number
  readonly from?: string
  readonly to?: string
  readonly params?: Record<string, string>
  readonly body?: Loose
}

export interface Peer {
  readonly client: Client
  readonly key: string
  /** What came for us, opened. Pieces are put together. */
  readonly heard: Frame[]
  /** Seals and publishes; `from` and `to` are honest unless given. */
  say(frame: Frame): Promise<string>
  /** A request and its one answer. */
  call(method: string, params?: unknown, headers?: Record<string, string>): Promise<Loose>
  /** A request, and the bodies of its stream up to the end; acknowledged as they come. */
  stream(method: string, params: unknown, headers?: Record<string, string>): Promise<Loose[]>
}

export interface Air extends Running {
  readonly url: string
  readonly server: Client
  /** The public key of the agent. */
  readonly to: string
  peer(seed?: Uint8Array): Promise<Peer>
  /** Calls that reached the dispatch. */
  readonly served: { readonly owner: string; readonly method: string }[]
}

export async function openAir(
  options: Partial<AgentOptions> & { readonly serve?: ServeOptions; readonly running?: Running } = {},
): Promise<Air> {
  const { serve, running: given, ...rest } = options
  const relay = await createRelay({ verifyWorkers: 1, policies: [] })
  later(() => relay.close())
  const running = given ?? (await openAgent({ key: AGENT.seed, ...rest }))
  const server = await connect(relay.url, { signer: AGENT.seed })
  later(() => server.close())
  const served: { owner: string; method: string }[] = []
  const desk = serveOnAether(
    (request) => {
      served.push({ owner: request.caller.owner, method: JSON.parse(request.body).method })
      return running.agent.dispatch(request)
    },
    server,
    serve,
  )
  later(() => desk.close())
  await desk.ready
  const to = server.publicKey
  return {
    ...running,
    url: relay.url,
    server,
    to,
    served,
    peer: (seed = CALLER.seed) => openPeer(relay.url, to, seed),
  }
}

async function openPeer(url: string, to: string, seed: Uint8Array): Promise<Peer> {
  const client = await connect(url, { signer: seed })
  later(() => client.close())
  const key = client.publicKey
  const heard: Frame[] = []
  const sets = new Map<string, Buffer[]>()
  const inbox = client.subscribe({ kinds: [KIND], tags: [{ key: 'p', any: [key] }] })
  void (async () => {
    for await (const event of inbox) {
      const plain = await client.open(event)
      if (plain === undefined) continue
      const frame = JSON.parse(Buffer.from(plain).toString())
      if (frame.kind !== 'part') {
        heard.push(frame)
        continue
      }
      const pieces = sets.get(frame.set) ?? []
      sets.set(frame.set, pieces)
      pieces[frame.part] = Buffer.from(frame.data, 'base64')
      if (Object.keys(pieces).length === frame.total) heard.push(JSON.parse(Buffer.concat(pieces).toString()))
    }
  })().catch(() => {})
  await inbox.stored

  const publish = async (value: object): Promise<string> => {
    const content = await client.seal(Buffer.from(JSON.stringify(value)), to)
    return (await client.publish({ kind: KIND, tags: [['p', to]], content })).id
  }
  const say: Peer['say'] = async (frame) => {
    const whole = { v: 1, from: key, to, params: {}, ...frame }
    const bytes = Buffer.from(JSON.stringify(whole))
    if (bytes.length <= PIECE) return publish(whole)
    const total = Math.ceil(bytes.length / PIECE)
    let last = ''
    for (let part = 0; part < total; part++) {
      const data = bytes.subarray(part * PIECE, (part + 1) * PIECE).toString('base64')
      last = await publish({ v: 1, kind: 'part', set: frame.id, part, total, from: key, to, data })
    }
    return last
  }
  const ask = async (method: string, params: unknown, headers: Record<string, string>) => {
    const id = crypto.randomUUID()
    const version = headers['a2a-version']
    const sent = { ...(version !== undefined && { 'a2a-version': version }) }
    await say({ kind: 'request', id, params: { ...headers, ...sent }, body: envelope(method, params) })
    return id
  }
  const find = (id: string, test: (frame: Frame) => boolean) =>
    vi.waitUntil(() => heard.find((frame) => frame.id === id && test(frame)), {
      timeout: 30_000,
      interval: 5,
    })
  return {
    client,
    key,
    heard,
    say,
    async call(method, params, headers = { 'a2a-version': '1.0' }) {
      const id = await ask(method, params, headers)
      return (await find(id, ({ kind }) => kind === 'response')).body
    },
    async stream(method, params, headers = { 'a2a-version': '1.0' }) {
      const id = await ask(method, params, headers)
      const bodies: Loose[] = []
      for (let seq = 1; ; seq++) {
        const next = await find(id, (frame) => frame.seq === seq || frame.kind === 'response')
        if (next.kind === 'response') return [next.body]
        if (next.kind === 'end') return bodies
        bodies.push(next.body)
        await say({ kind: 'ack', id, seq })
      }
    },
  }
}
