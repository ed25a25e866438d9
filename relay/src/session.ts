/** One peer (spec 4, 5, 7): its handshake, and what it asks for. */
import { decodeBinary, encodeEnvelope, encodeFrame, reject, writeMessage } from '@aetherkit/core'
import { Answers, windowOf } from './answers.js'
import { Authentication } from './auth.js'
import type { Bus, Publisher } from './bus.js'
import { CLOSE, type Connection, type Listener } from './connection.js'
import type { Delivery } from './deliver.js'
import { type Agreement, agree, type Hello, VERSION } from './handshake.js'
import { limitsDocument } from './limits.js'
import { type MailboxRequest, MailboxSessions } from './mailbox/mailbox-sessions.js'
import { legacyNoise, noiseXX } from './noise.js'
import type { Peer } from './policy.js'
import type { ErrorWording, Reply, SubId } from './replies.js'
import { type Refusal, type Request, readFrameRequest, readJsonRequest } from './requests.js'
import { type Subscriber, type Subscription, Subscriptions } from './subscriptions.js'
import { binaryFrame, textFrame } from './websocket-frame.js'
import { Writer } from './writer.js'

/** Broken binary frames after which an `aether.v2` connection is closed (spec 5.4). */
const MAX_BROKEN_FRAMES = 16
const BRACE = 0x7b

export class Session implements Listener, Subscriber {
  /** With the keys it has proven until now. */
  peer: Peer
  readonly #bus: Bus
  readonly #connection: Connection
  readonly #writer: Writer
  readonly #answers: Answers
  readonly #subscriptions: Subscriptions
  readonly #mailboxes: MailboxSessions
  readonly #authentication: Authentication
  readonly #onClosed: (session: Session) => void
  #greeted = false
  #brokenFrames = 0

  /** `wording`: how this surface says errors in JSON; default: as native messages do. */
  constructor(
    bus: Bus,
    connection: Connection,
    onClosed: (session: Session) => void,
    wording?: ErrorWording,
  ) {
    this.#bus = bus
    this.#connection = connection
    const format = connection.protocol === 'aether.v2' ? 'aether.v2' : 'json'
    this.#writer = new Writer(connection, bus.history.store.epoch, format, wording)
    this.#answers = new Answers(windowOf(bus.limits), connection)
    this.peer = { id: connection.facts.id, address: connection.facts.address }
    this.#subscriptions = new Subscriptions(bus, this)
    this.#mailboxes = new MailboxSessions(bus, this)
    this.#authentication = new Authentication(bus, connection.facts)
    this.#onClosed = onClosed
  }

  receive(data: Buffer, isBinary: boolean): void {
    this.#answers.handling(data.length)
    try {
      this.#receive(data, isBinary)
    } catch (error) {
      this.#bus.observe({ type: 'fault', error })
      this.#refuse(reject('internal'))
    }
  }

  relieved(): void {
    this.#subscriptions.relieved()
    this.#mailboxes.relieved()
  }

  closed(code?: number): void {
    if (code === CLOSE.slowConsumer) this.#bus.observe({ type: 'slow_consumer', peer: this.peer })
    this.#answers.clear()
    this.#subscriptions.close()
    this.#mailboxes.close()
    this.#onClosed(this)
  }

  /** Drain: tells the peer that its subscriptions end (spec 7.2). */
  farewell(): void {
    this.#subscriptions.close('going_away')
    this.#mailboxes.close('going_away')
  }

  cut(): void {
    this.#connection.close(CLOSE.slowConsumer, 'slow_consumer')
  }

  get congested(): boolean {
    return this.#connection.congested
  }

  /** A peer that is refused for want of a proven key is given its challenge first. */
  say(reply: Reply): void {
    const isUnknown = 'reject' in reply && reply.reject.code === 'auth_required'
    if (isUnknown && this.#authentication.challenge === undefined) this.#challenge()
    if (reply.type === 'error') this.#connection.refused(this.#answers.bytes)
    this.#writer.say(reply)
  }

  deliver(subscription: Subscription, delivery: Delivery): void {
    this.hand(subscription.id, delivery)
  }

  hand(sub: SubId, delivery: Delivery): void {
    if (!this.#writer.event(sub, delivery, this.#subscriptions.replaying))
      this.#bus.observe({ type: 'undeliverable', peer: this.peer })
  }

  #receive(data: Buffer, isBinary: boolean): void {
    const { noise } = this.#writer
    if (noise === undefined) {
      this.#read(data, isBinary)
      return
    }
    const opened = noise.open(data, isBinary)
    if (opened.ok) {
      this.#offerChallenge()
      if (opened.plain !== undefined) this.#read(opened.plain, true)
    } else {
      this.#refuse(opened)
      if (opened.fatal === true) this.#connection.close(CLOSE.policy, opened.code)
    }
  }

  #read(plain: Uint8Array, isBinary: boolean): void {
    if (this.#writer.format === 'aether.v2') this.#readFrame(plain, isBinary)
    else this.#readJson(plain, isBinary)
  }

  #readFrame(plain: Uint8Array, isBinary: boolean): void {
    const read = isBinary ? readFrameRequest(plain, this.#bus.limits) : reject('invalid_message')
    if (read.ok) this.#handle(read.request, plain, false)
    else {
      this.#refuse(read)
      if (read.code === 'invalid_message' && ++this.#brokenFrames > MAX_BROKEN_FRAMES)
        this.#connection.close(CLOSE.badData, read.code)
    }
  }

  #readJson(plain: Uint8Array, isBinary: boolean): void {
    const inEnvelope = isBinary && plain[0] !== BRACE
    if (!this.#greeted) this.#writer.format = inEnvelope ? 'flatbuffers' : 'json'
    const { maxFrame } = this.#bus.limits
    const opened = isBinary ? decodeBinary(plain, { maxFrame }) : { ok: true as const, json: textOf(plain) }
    if (!opened.ok) {
      this.#refuse(opened)
      return
    }
    const envelope = 'type' in opened ? opened.type : undefined
    const base64 = this.#writer.features.has('base64')
    const read = readJsonRequest(opened.json, this.#bus.limits, { base64, envelope })
    if (read.ok) this.#handle(read.request, plain, inEnvelope)
    else this.#refuse(read)
  }

  #handle(request: Request, raw: Uint8Array, inEnvelope: boolean): void {
    if (request.type === 'publish' || request.type === 'auth') {
      const eventId = request.event.id
      const place = this.#answers.reserve((verdict) => {
        if (verdict.ok) this.say({ type: 'ack', eventId, status: verdict.status, seq: verdict.seq })
        else this.say({ type: 'error', reject: verdict, eventId })
      })
      if (request.type === 'auth') this.#authenticate(request, place)
      else this.#bus.publish(request.event, request.rounded, this.peer, place)
      return
    }
    this.#answers.inOrder(() => {
      if (request.type === 'hello') this.#hello(request.hello, raw, inEnvelope)
      else if (request.type === 'subscribe' || request.type === 'unsubscribe') {
        this.#mailboxes.leave(request.sub)
        if (request.type === 'unsubscribe') this.#subscriptions.unsubscribe(request.sub)
        else this.#subscriptions.subscribe(request.sub, request.filters, request.after)
      } else this.#mailbox(request)
    })
  }

  /** What waits for the disk keeps its place among the answers. */
  #mailbox(request: MailboxRequest): void {
    let answer = () => {}
    const place = this.#answers.reserve(() => answer())
    if (request.type === 'mailbox') this.#subscriptions.drop(request.sub)
    this.#mailboxes.request(request, (say) => {
      answer = say
      place.settle({ ok: true, status: 'forwarded', seq: 0n })
      place.done()
    })
  }

  /** The answer is an ack: the event went no further. */
  #authenticate(claim: Extract<Request, { type: 'auth' }>, place: Publisher): void {
    const context = { peer: () => this.peer, binding: this.#writer.noise?.binding }
    this.#authentication.prove(claim, context, (verdict) => {
      if (verdict.ok) this.peer = verdict.peer
      place.settle(verdict.ok ? { ok: true, status: 'forwarded', seq: 0n } : verdict)
      place.done()
    })
  }

  #challenge(): void {
    this.#writer.say({ type: 'auth', challenge: this.#authentication.ask() })
  }

  /** After the handshake, to who listed the feature. */
  #offerChallenge(): void {
    const { features, noise } = this.#writer
    const isReady = this.#greeted && (noise === undefined || noise.ready)
    if (isReady && features.has('auth') && this.#authentication.challenge === undefined) this.#challenge()
  }

  #refuse(refusal: Refusal): void {
    const { eventId, sub } = refusal
    this.#bus.observe({ type: 'rejected', peer: this.peer, code: refusal.code })
    this.#answers.inOrder(() =>
      this.say({
        type: 'error',
        reject: refusal,
        ...(eventId !== undefined && { eventId }),
        ...(sub !== undefined && { sub }),
      }),
    )
  }

  #hello(hello: Hello, raw: Uint8Array, inEnvelope: boolean): void {
    const writer = this.#writer
    if (writer.format === 'aether.v2' || (this.#greeted && writer.noise === undefined)) {
      if (this.#greeted) this.#refuse(reject('invalid_message', 'unknown message type', 'one hello only'))
      else this.#welcomeFrame(hello)
      return
    }
    const { history, limits, features } = this.#bus
    const facts = { epoch: history.store.epoch, limits: limitsDocument(limits), features }
    if (writer.noise !== undefined) {
      // Inside noise a hello may change features; keys and format stay.
      writer.features = new Set(hello.features)
      const { format } = writer
      const noise = { required: true }
      writer.json('welcome', writeMessage({ type: 'welcome', version: VERSION, format, noise, ...facts }))
      return
    }
    const agreement = agree(hello, inEnvelope, facts)
    if (agreement.ok) this.#agreed(agreement, raw, inEnvelope)
    else this.#refuse(agreement)
  }

  #agreed(agreement: Agreement, raw: Uint8Array, inEnvelope: boolean): void {
    const { format, features, noise } = agreement
    const writer = this.#writer
    const welcome = writeMessage(agreement.welcome)
    this.#connection.send(inEnvelope ? binaryFrame(encodeEnvelope(welcome)) : textFrame(welcome))
    // A subscription of before could not be served in frames, nor in clear behind noise.
    if (format === 'aether.v2' || noise !== 'none') {
      this.#subscriptions.close()
      this.#mailboxes.close()
    }
    this.#greeted = true
    writer.format = format
    writer.features = features
    if (noise === 'xx') {
      const options = { staticSecret: this.#bus.noiseSecret, maxFrame: this.#bus.limits.maxFrame }
      writer.noise = noiseXX(options, raw, welcome, (frame) => this.#connection.send(frame))
    } else if (noise !== 'none') writer.noise = legacyNoise(noise, format === 'flatbuffers')
    if (features.has('info') && format !== 'aether.v2' && noise !== 'xx')
      writer.json('info', writeMessage({ type: 'info', info: this.#bus.info() }))
    // `aether.v2` frames have no room for the mark that tells genuine Nostr events.
    if (features.has('nostr') && format !== 'aether.v2') this.#subscriptions.includeNostr()
    this.#offerChallenge()
  }

  #welcomeFrame(hello: Hello): void {
    this.#greeted = true
    this.#writer.features = new Set(hello.features)
    const { limits, history, features } = this.#bus
    const { epoch } = history.store
    this.#writer.bytes(
      encodeFrame({
        type: 'welcome',
        version: VERSION,
        features,
        maxFrame: limits.maxFrame,
        epoch,
      }),
    )
    this.#offerChallenge()
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}
