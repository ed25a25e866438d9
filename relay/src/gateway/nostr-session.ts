/** One Nostr client (spec 9; NIP-01, 42, 45). Whatever it says, the connection lives. */
import { reject } from '@aetherkit/core'
import { Answers, windowOf } from '../answers.js'
import { Authentication } from '../auth.js'
import type { Bus, Publisher } from '../bus.js'
import { CLOSE, type Connection, type Listener } from '../connection.js'
import type { Delivery } from '../deliver.js'
import type { Peer } from '../policy.js'
import type { Reply } from '../replies.js'
import { type Subscriber, type Subscription, Subscriptions } from '../subscriptions.js'
import { textFrame } from '../websocket-frame.js'
import { NostrCounts } from './nostr-count.js'
import { type EventRequest, type NostrRefusal, type NostrRequest, readNostrMessage } from './nostr-read.js'
import { closedMessage, okMessage, refusalMessage } from './nostr-wording.js'

export class NostrSession implements Listener, Subscriber {
  /** With the keys it has proven until now. */
  peer: Peer
  readonly #bus: Bus
  readonly #connection: Connection
  readonly #answers: Answers
  readonly #subscriptions: Subscriptions
  readonly #authentication: Authentication
  readonly #counts: NostrCounts
  readonly #onClosed: (session: NostrSession) => void

  constructor(bus: Bus, connection: Connection, onClosed: (session: NostrSession) => void) {
    this.#bus = bus
    this.#connection = connection
    this.peer = { id: connection.facts.id, address: connection.facts.address }
    this.#answers = new Answers(windowOf(bus.limits), connection)
    this.#subscriptions = new Subscriptions(bus, this)
    this.#subscriptions.includeNostr()
    this.#authentication = new Authentication(bus, connection.facts)
    this.#counts = new NostrCounts(bus, this, (message) => this.#send(message))
    this.#onClosed = onClosed
    this.#send(JSON.stringify(['AUTH', this.#authentication.ask()]))
  }

  receive(data: Buffer, isBinary: boolean): void {
    this.#answers.handling(data.length)
    try {
      const read = readNostrMessage(isBinary ? '' : data.toString('utf8'), this.#bus.limits)
      if (read.ok) this.#handle(read.request)
      else this.#refuse(read)
    } catch (error) {
      this.#bus.observe({ type: 'fault', error })
      this.#refuse(reject('internal'))
    }
  }

  relieved(): void {
    this.#subscriptions.relieved()
  }

  closed(code?: number): void {
    if (code === CLOSE.slowConsumer) this.#bus.observe({ type: 'slow_consumer', peer: this.peer })
    this.#answers.clear()
    this.#subscriptions.close()
    this.#counts.close()
    this.#onClosed(this)
  }

  /** Drain: tells the peer that its subscriptions end (spec 7.2). */
  farewell(): void {
    this.#subscriptions.close('going_away')
  }

  cut(): void {
    this.#connection.close(CLOSE.slowConsumer, 'slow_consumer')
  }

  get congested(): boolean {
    return this.#connection.congested
  }

  /** For subscriptions: NIP-01 knows no answer to a REQ but its events, nor to a CLOSE. */
  say(reply: Reply): void {
    if (reply.type === 'eose') this.#send(JSON.stringify(['EOSE', reply.sub]))
    else if (reply.type === 'closed' || reply.type === 'error') {
      if (reply.type === 'error') this.#connection.refused(this.#answers.bytes)
      this.#send(closedMessage(String(reply.sub), reply.reject))
    }
  }

  deliver(subscription: Subscription, delivery: Delivery): void {
    const frame = delivery.nostr(String(subscription.id))
    if (frame === undefined) this.#bus.observe({ type: 'undeliverable', peer: this.peer })
    else this.#connection.send(frame)
  }

  #handle(request: NostrRequest): void {
    if ('event' in request) {
      const place = this.#answers.reserve((verdict) => {
        if (!verdict.ok) this.#connection.refused(this.#answers.bytes)
        this.#send(okMessage(request.event.id, verdict))
      })
      if (request.type === 'AUTH') this.#authenticate(request, place)
      else this.#bus.publish(request.event, request.rounded, this.peer, place)
      return
    }
    this.#answers.inOrder(() => {
      if (request.type === 'CLOSE') this.#subscriptions.unsubscribe(request.sub)
      else if (request.type === 'COUNT') this.#counts.add(request.sub, request.filters)
      else this.#subscriptions.subscribe(request.sub, request.filters, undefined)
    })
  }

  #authenticate(claim: EventRequest, place: Publisher): void {
    const context = { peer: () => this.peer, binding: undefined }
    this.#authentication.prove(claim, context, (verdict) => {
      if (verdict.ok) this.peer = verdict.peer
      place.settle(verdict.ok ? { ok: true, status: 'forwarded', seq: 0n } : verdict)
      place.done()
    })
  }

  #refuse(refusal: NostrRefusal): void {
    this.#bus.observe({ type: 'rejected', peer: this.peer, code: refusal.code })
    this.#answers.inOrder(() => {
      this.#connection.refused(this.#answers.bytes)
      this.#send(refusalMessage(refusal))
    })
  }

  #send(message: string): void {
    this.#connection.send(textFrame(message))
  }
}
