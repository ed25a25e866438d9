/** A raw peer that has proven its key and speaks of mailboxes, in JSON or in frames: both said and heard as values. */
import {
  createClock,
  decodeFrame,
  type EventTemplate,
  encodeFrame,
  generateSecretKey,
  type MailboxTerms,
  publicKeyOf,
  REJECTS,
  type RejectCode,
  readRelayMessage,
  signEvent,
  writeMessage,
} from '@aetherkit/core'
import type { Relay } from '@aetherkit/relay'
import { RawPeer } from './raw-peer.js'

export type PeerFormat = 'json' | 'aether.v2'

/** What a relay says of mailboxes; a code in place of its number. */
export type Said =
  | { type: 'event'; seq: bigint; deliveries: number; id: string; text: string }
  | { type: 'subscribed'; gap: boolean }
  | { type: 'acked'; seqs: readonly bigint[] }
  | { type: 'deleted' }
  /** `error` or `closed`: frames have one for both. */
  | { type: 'refused'; code: RejectCode | undefined }
  | { type: 'other' }

export interface Agent {
  readonly secret: Uint8Array
  readonly pubkey: string
}

const clock = createClock()
const sender = generateSecretKey()

export function createAgent(): Agent {
  const secret = generateSecretKey()
  return { secret, pubkey: publicKeyOf(secret) }
}

/** An event for the agent. */
export function letter(to: Agent, text: string, more: Partial<EventTemplate> = {}) {
  const { tags = [], ...rest } = more
  const template = { kind: 1, content: text, createdAt: clock(), ...rest }
  return signEvent({ ...template, tags: [['p', to.pubkey], ...tags] }, sender)
}

/** Publishes letters one after the other; returns their texts. */
export async function post(relay: Pick<Relay, 'publish'>, to: Agent, ...texts: string[]): Promise<string[]> {
  for (const text of texts) {
    const verdict = await relay.publish(letter(to, text))
    if (!verdict.ok) throw new Error(verdict.code)
  }
  return texts
}

export class MailboxPeer {
  readonly raw: RawPeer
  readonly format: PeerFormat
  readonly agent: Agent

  private constructor(raw: RawPeer, format: PeerFormat, agent: Agent) {
    this.raw = raw
    this.format = format
    this.agent = agent
  }

  /** `prove`: whether to say who it is. */
  static async connect(
    { port, url = `ws://127.0.0.1:${port}` }: { readonly port: number; readonly url?: string },
    format: PeerFormat,
    agent: Agent,
    prove = true,
  ): Promise<MailboxPeer> {
    const raw = await RawPeer.connect(port, format === 'json' ? {} : { protocol: 'aether.v2' })
    const peer = new MailboxPeer(raw, format, agent)
    if (format === 'json')
      await raw.ask({
        type: 'hello',
        version: 1,
        formats: ['json'],
        features: ['base64', ...(prove ? ['auth'] : [])],
      })
    else {
      raw.sayBytes(encodeFrame({ type: 'hello', version: 1, features: prove ? ['auth'] : [] }))
      await raw.hear()
    }
    if (prove) await peer.#prove(url)
    return peer
  }

  open(name: string, terms: Partial<MailboxTerms> = {}, sub = 1): void {
    const { pubkey } = this.agent
    this.#say({ type: 'mailbox', sub, pubkey, name, from: 'start', ...terms })
  }

  /** Opens, and returns whether there was a gap. */
  async opened(name: string, terms: Partial<MailboxTerms> = {}, sub = 1): Promise<boolean> {
    this.open(name, terms, sub)
    const said = await this.hear()
    if (said.type !== 'subscribed') throw new Error(`subscribed expected, got ${JSON.stringify(said)}`)
    return said.gap
  }

  ack(seqs: readonly bigint[], sub = 1): void {
    this.#say({ type: 'mailbox_ack', sub, seqs })
  }

  nack(seqs: readonly bigint[], delayMs?: number, sub = 1): void {
    this.#say({ type: 'mailbox_nack', sub, seqs, ...(delayMs !== undefined && { delayMs }) })
  }

  delete(name: string, pubkey = this.agent.pubkey, sub = 1): void {
    this.#say({ type: 'mailbox_delete', sub, pubkey, name })
  }

  leave(sub = 1): void {
    this.#say({ type: 'unsubscribe', sub })
  }

  /** What is said next of mailboxes. */
  async hear(): Promise<Said> {
    for (;;) {
      const said = this.#read((await this.raw.hear()).payload)
      if (said.type !== 'other') return said
    }
  }

  /** The next so many events; anything else is an error. */
  async events(count: number): Promise<Extract<Said, { type: 'event' }>[]> {
    const events: Extract<Said, { type: 'event' }>[] = []
    while (events.length < count) {
      const said = await this.hear()
      if (said.type !== 'event') throw new Error(`event expected, got ${JSON.stringify(said)}`)
      events.push(said)
    }
    return events
  }

  /** Acks and waits until that is confirmed; returns the events that came meanwhile. */
  async done(...seqs: bigint[]): Promise<Extract<Said, { type: 'event' }>[]> {
    this.ack(seqs)
    const events: Extract<Said, { type: 'event' }>[] = []
    for (;;) {
      const said = await this.hear()
      if (said.type === 'acked') return events
      if (said.type !== 'event') throw new Error(`acked expected, got ${JSON.stringify(said)}`)
      events.push(said)
    }
  }

  async #prove(url: string): Promise<void> {
    const { payload } = await this.raw.hear()
    const challenge = this.format === 'json' ? readRelayMessage(payload.toString()) : decodeFrame(payload)
    const found = challenge.ok && ('message' in challenge ? challenge.message : challenge.frame)
    if (!found || !('challenge' in found)) throw new Error('challenge expected')
    const tags = [['relay', url] as const, ['challenge', found.challenge] as const]
    const event = signEvent({ kind: 22242, tags, content: '', createdAt: clock() }, this.agent.secret)
    if (this.format === 'json') this.raw.say(writeMessage({ type: 'auth', event }))
    else this.raw.sayBytes(encodeFrame({ type: 'auth', event }))
    await this.raw.hear()
  }

  #say(frame: Parameters<typeof encodeFrame>[0] & { readonly sub: number }): void {
    if (this.format === 'aether.v2') this.raw.sayBytes(encodeFrame(frame))
    else {
      const { sub, ...rest } = frame
      this.raw.say(writeMessage({ ...rest, subId: String(sub) } as Parameters<typeof writeMessage>[0]))
    }
  }

  #read(payload: Buffer): Said {
    if (this.format === 'aether.v2') {
      const read = decodeFrame(payload)
      if (!read.ok) throw new Error(read.detail ?? read.error)
      const { frame } = read
      if (frame.type === 'deliver') return delivered(frame)
      if (frame.type === 'subscribed') return { type: 'subscribed', gap: frame.gap }
      if (frame.type === 'mailbox_acked') return { type: 'acked', seqs: frame.seqs }
      if (frame.type === 'mailbox_deleted') return { type: 'deleted' }
      if (frame.type === 'closed' || frame.type === 'rejected')
        return { type: 'refused', code: codeOf(frame.code) }
      return { type: 'other' }
    }
    const read = readRelayMessage(payload.toString(), { base64: true })
    if (!read.ok) throw new Error(read.detail ?? read.error)
    const { message } = read
    if (message?.type === 'event') return delivered(message)
    if (message?.type === 'subscribed') return { type: 'subscribed', gap: message.gap }
    if (message?.type === 'mailbox_acked') return { type: 'acked', seqs: message.seqs }
    if (message?.type === 'mailbox_deleted') return { type: 'deleted' }
    if (message?.type === 'closed' || message?.type === 'error')
      return { type: 'refused', code: message.code }
    return { type: 'other' }
  }
}

function delivered({
  event,
  seq = 0n,
  deliveries = 0,
}: {
  readonly event: { readonly id: string; readonly content: Uint8Array }
  readonly seq?: bigint
  readonly deliveries?: number
}): Said {
  return { type: 'event', seq, deliveries, id: event.id, text: Buffer.from(event.content).toString() }
}

function codeOf(n: number): RejectCode | undefined {
  return (Object.keys(REJECTS) as RejectCode[]).find((code) => REJECTS[code].n === n)
}
