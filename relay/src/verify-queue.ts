/**
 * Claims that wait for a verify worker. Sources take turns by what their claims cost (deficit round robin), so that who
 * says little never waits behind all that who says much has said.
 */
import { costOf } from './doubt.js'
import type { Task, VerifySource } from './verify-source.js'

/** The cost of claims that a source may have in its turn. */
const TURN = 8

export class VerifyQueue {
  /** For what is submitted to it. */
  readonly room: VerifyRoom
  /** Sources with claims that wait, the first in turn. */
  readonly #sources: VerifySource[] = []
  #waiting = 0

  constructor(room: VerifyRoom) {
    this.room = room
  }

  /** Claims. */
  get waiting(): number {
    return this.#waiting
  }

  /** Takes its place among those that wait, with the claims that it has. */
  add(source: VerifySource): void {
    source.queue = this
    this.#sources.push(source)
    this.#waiting += source.waiting
  }

  push(task: Task): void {
    const { source } = task
    source.push(task)
    if (source.queue === undefined) this.add(source)
    else source.queue.#waiting++
  }

  remove(source: VerifySource): void {
    const at = this.#sources.indexOf(source)
    if (at < 0) return
    this.#sources.splice(at, 1)
    this.#waiting -= source.waiting
    source.queue = undefined
  }

  /** So many claims at most, and so many bytes, but one at least. A large one is paid for in the turns that follow. */
  take(count: number, bytes: number): Task[] {
    const tasks: Task[] = []
    let left = bytes
    while (tasks.length < count) {
      const source = this.#sources[0]
      if (source === undefined) break
      if (source.credit <= 0) source.credit += TURN
      let task = source.first
      while (task !== undefined && source.credit > 0 && tasks.length < count) {
        left -= task.size
        if (left < 0 && tasks.length > 0) return tasks
        tasks.push(task)
        source.credit -= costOf(task.size)
        source.advance()
        this.#waiting--
        task = source.first
      }
      if (task === undefined) {
        this.#sources.shift()
        source.queue = undefined
        source.credit = Math.min(0, source.credit)
      } else if (source.credit <= 0) {
        this.#sources.shift()
        this.#sources.push(source)
      }
    }
    return tasks
  }

  /** Those that wait fail; gives their sources. */
  fail(): readonly VerifySource[] {
    const sources = this.#sources.splice(0)
    for (const source of sources) {
      source.queue = undefined
      source.failWaiting()
    }
    this.#waiting = 0
    return sources
  }
}

/** How many claims may be without a verdict, and how many bytes of their events. */
export class VerifyRoom {
  readonly #claims: number
  readonly #bytes: number
  #takenClaims = 0
  #takenBytes = 0

  constructor(claims: number, bytes: number) {
    this.#claims = claims
    this.#bytes = bytes
  }

  /** Claims without a verdict. */
  get taken(): number {
    return this.#takenClaims
  }

  get isFull(): boolean {
    return this.#takenClaims >= this.#claims
  }

  get isHeavy(): boolean {
    return this.#takenBytes >= this.#bytes
  }

  enter({ size }: { readonly size: number }): void {
    this.#takenClaims++
    this.#takenBytes += size
  }

  leave({ size }: { readonly size: number }): void {
    this.#takenClaims--
    this.#takenBytes -= size
  }
}
