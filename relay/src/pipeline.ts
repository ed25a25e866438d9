/**
 * The way of one publish through the stages (spec 3.1): admit, verify, prove, judge, commit. Each ends it or hands
 * it on.
 */
import { type Event, type Reject, reject } from '@aetherkit/core'
import type { Gate } from './admit.js'
import type { Publisher, RelayEvent } from './bus.js'
import type { Accepted, Committer } from './commit.js'
import type { Judges } from './policy/async-policy.js'
import type { Peer } from './policy.js'
import { StoreError } from './store/store.js'
import type { PublishSpan, Tracer } from './tracing.js'
import type { Settle, VerifyPool } from './verify-pool.js'
import { VerifySources } from './verify-source.js'

export interface PipelineStages {
  readonly gate: Gate
  readonly pool: VerifyPool
  readonly judges: Judges
  readonly committer: Committer
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer | undefined
  /** Unix time in nanoseconds. */
  now(): bigint
  observe(event: RelayEvent): void
}

/** What a client is told to wait when the relay is overloaded. */
const RETRY_MS = 1000

export class Pipeline {
  readonly #stages: PipelineStages
  readonly #sources = new VerifySources()
  #draining = false
  #underWay = 0
  #idle = () => {}

  constructor(stages: PipelineStages) {
    this.#stages = stages
  }

  /** Publishes without a verdict. */
  get underWay(): number {
    return this.#underWay
  }

  /** `rounded` as `readEvent` gave it: the time to try when the id does not match (spec 1.3). */
  publish(event: Event, rounded: bigint | undefined, peer: Peer, publisher: Publisher): void {
    const { gate, pool, tracer } = this.#stages
    const span = tracer?.publish(event.kind)
    const tracked = new Tracked(this, publisher, peer, event.kind, span)
    this.#underWay++
    const early = this.#draining ? reject('going_away') : this.#guard(() => gate.admit(event, peer))
    if (early !== undefined) {
      end(tracked, early.ok ? { ok: true, status: 'duplicate', seq: early.seq } : early)
      return
    }
    span?.next('verify')
    const settle: Settle = (verdict) => {
      this.#sources.forgetIfBlank(peer.id)
      if (verdict === 'failed') end(tracked, overloaded())
      else if (verdict === 'id_mismatch' || verdict === 'invalid_signature') end(tracked, reject(verdict))
      else {
        const proven =
          verdict === 'repaired' && rounded !== undefined ? { ...event, createdAt: rounded } : event
        const refusal = this.#guard(() => gate.proven(proven, peer))
        if (refusal !== undefined) end(tracked, refusal)
        else this.#judge(proven, peer, tracked)
      }
    }
    if (!pool.submit({ event, rounded }, settle, this.#sources.of(peer.id))) end(tracked, overloaded())
  }

  #judge(event: Event, peer: Peer, publisher: Tracked): void {
    const { judges, committer, now } = this.#stages
    if (judges.isEmpty) {
      publisher.span?.next('commit')
      committer.add({ event, publisher })
      return
    }
    publisher.span?.next('judge')
    judges.submit(event, peer, now(), (judgement) => {
      publisher.span?.next('commit')
      if (judgement === 'shadow') committer.add({ event, publisher, isShadow: true })
      else if (judgement !== undefined) end(publisher, judgement)
      else committer.add({ event, publisher })
    })
  }

  /** From now on publishes are refused with `going_away`; resolves when all that is under way is answered. */
  async drain(): Promise<void> {
    this.#draining = true
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
  }

  /** A policy or a store that throws costs one event, not the relay. */
  #guard<T>(judge: () => T): T | Reject {
    try {
      return judge()
    } catch (error) {
      this.#stages.observe({ type: 'fault', error })
      return error instanceof StoreError ? overloaded() : reject('internal')
    }
  }

  /** For {@link Tracked}: tells the observer. */
  settled(peer: Peer, kind: number, verdict: Accepted | Reject): void {
    if (verdict.ok) this.#stages.observe({ type: 'accepted', peer, status: verdict.status, kind })
    else this.#stages.observe({ type: 'rejected', peer, code: verdict.code, kind })
  }

  /** For {@link Tracked}: one less under way. */
  done(): void {
    if (--this.#underWay === 0) this.#idle()
  }
}

/** A publisher, and the pipeline that keeps count of it. */
class Tracked implements Publisher {
  readonly #pipeline: Pipeline
  readonly #publisher: Publisher
  readonly #peer: Peer
  readonly #kind: number
  readonly span: PublishSpan | undefined

  constructor(
    pipeline: Pipeline,
    publisher: Publisher,
    peer: Peer,
    kind: number,
    span: PublishSpan | undefined,
  ) {
    this.#pipeline = pipeline
    this.#publisher = publisher
    this.#peer = peer
    this.#kind = kind
    this.span = span
  }

  settle(verdict: Accepted | Reject): void {
    this.span?.settled(verdict)
    this.#publisher.settle(verdict)
    this.#pipeline.settled(this.#peer, this.#kind, verdict)
  }

  done(): void {
    this.span?.end()
    this.#publisher.done()
    this.#pipeline.done()
  }
}

function end(publisher: Publisher, verdict: Accepted | Reject): void {
  publisher.settle(verdict)
  publisher.done()
}

function overloaded(): Reject {
  return { ...reject('unavailable'), retryAfterMs: RETRY_MS }
}
