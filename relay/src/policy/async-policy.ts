/**
 * Policies that need time (spec 3.1, after step 10): another process, a database, a capability with uses to count. They
 * are asked last, about events whose signature is right. A relay without any pays nothing for them.
 */
import { type Event, type JsonObject, type Reject, reject } from '@aetherkit/core'
import type { Peer } from '../policy.js'

/** `shadow`: the author is told that all is well, and the event is neither stored nor delivered. */
export type Judgement = Reject | 'shadow' | undefined

export interface AsyncPolicy {
  /** `now`: Unix time in nanoseconds. Undefined lets the event pass. A rejection refuses it with `internal`. */
  judge(event: Event, peer: Peer, now: bigint): Promise<Judgement>
  /** What clients should know about it: members of the info document (spec 10.6). */
  readonly info?: JsonObject
  /** Answers what is under way, soon, then lets go of everything. May be called twice; who asks later is refused. */
  close?(): Promise<void>
}

interface Case {
  readonly settle: (judgement: Judgement) => void
  judgement: Judgement
  isJudged: boolean
}

/** Asks the policies one after the other, events side by side; judgements come out in the order the events went in. */
export class Judges {
  #policies: readonly AsyncPolicy[]
  readonly #fault: (error: unknown) => void
  #cases: Case[] = []

  constructor(policies: readonly AsyncPolicy[], fault: (error: unknown) => void) {
    this.#policies = policies
    this.#fault = fault
  }

  get isEmpty(): boolean {
    return this.#policies.length === 0
  }

  /** Events without a judgement. */
  get pending(): number {
    return this.#cases.length
  }

  get policies(): readonly AsyncPolicy[] {
    return this.#policies
  }

  /** From now on these. Resolves when those that are gone have answered what they were asked. */
  async replace(policies: readonly AsyncPolicy[]): Promise<void> {
    const gone = this.#policies.filter((policy) => !policies.includes(policy))
    this.#policies = policies
    await Promise.all(gone.map((policy) => policy.close?.()))
  }

  /** What is asked from now on, they answer at once. Resolves when they have answered what they were asked. */
  async close(): Promise<void> {
    await Promise.all(this.#policies.map((policy) => policy.close?.()))
  }

  submit(event: Event, peer: Peer, now: bigint, settle: (judgement: Judgement) => void): void {
    const waiting: Case = { settle, judgement: undefined, isJudged: false }
    this.#cases.push(waiting)
    void this.#judge(event, peer, now).then((judgement) => {
      waiting.judgement = judgement
      waiting.isJudged = true
      this.#release()
    })
  }

  async #judge(event: Event, peer: Peer, now: bigint): Promise<Judgement> {
    try {
      for (const policy of this.#policies) {
        const judgement = await policy.judge(event, peer, now)
        if (judgement !== undefined) return judgement
      }
      return undefined
    } catch (error) {
      this.#fault(error)
      return reject('internal')
    }
  }

  #release(): void {
    let judged = 0
    while (this.#cases[judged]?.isJudged === true) judged++
    for (const { settle, judgement } of this.#cases.splice(0, judged)) settle(judgement)
  }
}
