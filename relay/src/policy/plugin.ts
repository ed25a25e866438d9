/**
 * A policy in another process and any language, as users of strfry write it: a line of JSON for each event, a line of
 * JSON for each answer.
 *
 *   to it    {"type":"new","event":{"id":...,"pubkey":...,...},"receivedAt":<s>,"sourceType":"IP4","sourceInfo":"<ip>"}
 *   from it  {"id":"<event id>","action":"accept" | "reject" | "shadowReject","msg":"<said to the author>"}
 *
 * Many lines may be on their way; answers may come in any order. One that takes too long, a line that is no answer and
 * a process that ends cost the event in question, and the process is started anew; what waited behind is asked again.
 */
import { isIPv6 } from 'node:net'
import { type Event, type JsonValue, type Reject, reject, writeEvent } from '@aetherkit/core'
import { NostrEvent, writeNostrEvent } from '../nostr-event.js'
import type { Peer } from '../policy.js'
import type { AsyncPolicy, Judgement } from './async-policy.js'
import { PluginProcess } from './plugin-process.js'

export interface PluginOptions {
  /** Program and arguments; no shell is involved. */
  readonly command: readonly [file: string, ...args: string[]]
  /** From the question to the answer, a start of the process included. Default 5000. */
  readonly timeoutMs?: number
  /** What becomes of events that get no answer: refused with `unavailable` (default), or accepted. */
  readonly onFailure?: 'reject' | 'accept'
  /** Events without an answer; beyond it they fail at once. Default 4096. */
  readonly maxQueue?: number
  /** Told why the process was started anew. Must not throw. */
  onFault?(error: Error): void
}

interface Question {
  readonly id: string
  readonly line: string
  readonly deadline: number
  readonly settle: (judgement: Judgement) => void
  isSent: boolean
}

const TIMEOUT_MS = 5000
const MAX_QUEUE = 4096
const RETRY_MS = 1000
/** Of the plugin's message that the author is told. UTF-16 units. */
const MAX_MESSAGE = 256

/**
 * Starts the process at once.
 * @throws RangeError for a timeout or a queue that is no positive integer, TypeError for an empty command.
 */
export function pluginPolicy(options: PluginOptions): AsyncPolicy {
  return new PluginPolicy(options)
}

class PluginPolicy implements AsyncPolicy {
  readonly #options: PluginOptions
  readonly #timeoutMs: number
  readonly #maxQueue: number
  readonly #process: PluginProcess
  /** In the order of their deadlines. */
  readonly #questions = new Set<Question>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: PluginOptions) {
    const { command, timeoutMs = TIMEOUT_MS, maxQueue = MAX_QUEUE } = options
    if (command[0] === undefined || command[0] === '') throw new TypeError('command must name a program')
    for (const [name, value] of Object.entries({ timeoutMs, maxQueue }))
      if (!Number.isSafeInteger(value) || value < 1)
        throw new RangeError(`${name} must be a positive integer, got ${value}`)
    this.#options = options
    this.#timeoutMs = timeoutMs
    this.#maxQueue = maxQueue
    this.#process = new PluginProcess({
      command,
      line: (text) => this.#answered(text),
      up: () => {
        for (const question of this.#questions) this.#send(question)
      },
      down: (reason) => this.#down(reason),
    })
    this.#process.start()
  }

  judge(event: Event, peer: Peer): Promise<Judgement> {
    if (this.#closed || this.#questions.size >= this.#maxQueue) return Promise.resolve(this.#failure())
    return new Promise((settle) => {
      const deadline = performance.now() + this.#timeoutMs
      const line = questionOf(event, peer)
      const question: Question = { id: event.id, line, deadline, settle, isSent: false }
      this.#questions.add(question)
      if (this.#process.isUp) this.#send(question)
      this.#timer ??= setTimeout(() => this.#expire(), this.#timeoutMs)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#process.close()
    clearTimeout(this.#timer)
    for (const question of this.#questions) this.#settle(question, this.#failure())
  }

  #send(question: Question): void {
    question.isSent = true
    this.#process.write(question.line)
  }

  #answered(text: string): void {
    const answer = readAnswer(text)
    const asked = answer && this.#find(answer.id)
    if (answer === undefined || asked === undefined) {
      this.#process.kill('a line that answers nothing')
      return
    }
    this.#process.praise()
    this.#settle(asked, answer.judgement)
  }

  #find(id: string): Question | undefined {
    for (const question of this.#questions) if (question.id === id && question.isSent) return question
    return undefined
  }

  /** The oldest question is the one that it most likely did not survive; the others are asked again. */
  #down(reason: string): void {
    this.#options.onFault?.(new Error(`policy plugin: ${reason}`))
    const [oldest] = this.#questions
    if (oldest?.isSent === true) this.#settle(oldest, this.#failure())
    for (const question of this.#questions) question.isSent = false
  }

  #expire(): void {
    const now = performance.now()
    const late: Question[] = []
    for (const question of this.#questions) {
      if (question.deadline > now) break
      late.push(question)
      this.#questions.delete(question)
    }
    if (late.some(({ isSent }) => isSent)) {
      // None of those behind is to blame.
      for (const question of this.#questions) question.isSent = false
      this.#process.kill(`no answer in ${this.#timeoutMs} ms`)
    }
    for (const { settle } of late) settle(this.#failure())
    const [next] = this.#questions
    this.#timer = next && setTimeout(() => this.#expire(), Math.max(1, next.deadline - now))
  }

  #settle(question: Question, judgement: Judgement): void {
    this.#questions.delete(question)
    question.settle(judgement)
  }

  #failure(): Reject | undefined {
    if (this.#options.onFailure === 'accept') return undefined
    return { ...reject('unavailable'), retryAfterMs: RETRY_MS }
  }
}

/** The event as every surface renders it, with its id under the name that plugins look for. */
function questionOf(event: Event, { address }: Peer): string {
  const text = NostrEvent.is(event)
    ? writeNostrEvent(event)
    : `{"id":"${event.id}",${(writeEvent(event) ?? writeEvent(event, { base64: true }) ?? '{}').slice(1)}`
  const sourceType = address.includes('.') ? 'IP4' : isIPv6(address) ? 'IP6' : 'Import'
  const source = JSON.stringify({
    receivedAt: Math.floor(Date.now() / 1000),
    sourceType,
    sourceInfo: address,
  })
  return `{"type":"new","event":${text},${source.slice(1)}`
}

function readAnswer(text: string): { readonly id: string; readonly judgement: Judgement } | undefined {
  let value: JsonValue
  try {
    value = JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('id' in value)) return undefined
  const { id, action, msg } = value
  if (typeof id !== 'string') return undefined
  if (action === 'accept') return { id, judgement: undefined }
  if (action === 'shadowReject') return { id, judgement: 'shadow' }
  if (action !== 'reject') return undefined
  const said = typeof msg === 'string' ? msg.replace(/\p{Cc}/gu, ' ').slice(0, MAX_MESSAGE) : ''
  return { id, judgement: reject('blocked', undefined, said === '' ? undefined : said) }
}
