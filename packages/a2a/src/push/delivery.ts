/**
 * Delivery of push notifications (spec a2a 2.11, 7.2). What is to be sent is in the outbox of the store by the write
 * that it tells of; one queue a config keeps the order; a failure is tried again later, and after the last try the
 * notification is given up by name. A receiver that answers 404 or 410 loses its config.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { A2AError } from '../errors.js'
import { createGuard, type Guard, GuardError } from '../guard.js'
import type { PushDelivery } from '../push.js'
import type { OutboxItem, StoredPush, TaskStore } from '../task-store.js'
import { notificationBody } from './body.js'
import { isOwned } from './challenge.js'

export interface PushOptions {
  /** Where notifications may go; public https addresses by default. */
  readonly guard?: Guard
  /** Tries in all, 6 by default; at least 5 (spec a2a 7.2) outside tests. */
  readonly attempts?: number
  /** Wait before the second try, ms; doubles up to `maxDelayMs`, with jitter. 1,000 and 300,000 by default. */
  readonly firstDelayMs?: number
  readonly maxDelayMs?: number
  /** Of one try, ms, 10,000 by default. */
  readonly timeoutMs?: number
  /** Longest body; a longer notification is cut down to the status. 1 MiB by default. */
  readonly maxBodyBytes?: number
  /** Tries under way at once, 64 by default. */
  readonly concurrency?: number
  /** Notifications that wait for one config, 1,000 by default; more are given up. */
  readonly queued?: number
  /** A URL must answer a challenge before its config is kept (`PushReceiver.challenge`); not asked unless true. */
  readonly challenge?: boolean
  /** Headers that prove who sent the body, such as `notificationSigner` makes. */
  readonly sign?: (notification: SignedNotification) => Promise<Readonly<Record<string, string>>>
  /** Given up after the last try, or because the config was refused or is gone. */
  readonly onDead?: (notification: OutboxItem, reason: string) => void
  readonly onError?: (error: unknown) => void
  readonly now?: () => number
  /** 0 to 1, for the jitter. */
  readonly random?: () => number
}

export interface SignedNotification {
  readonly id: string
  readonly taskId: string
  readonly url: string
  readonly body: string
}

/** The header that a receiver drops duplicates by. */
export const NOTIFICATION_ID_HEADER = 'A2A-Notification-Id'
export const NOTIFICATION_TOKEN_HEADER = 'X-A2A-Notification-Token'

/** Delivers for one store; what an earlier process left in its outbox goes out first. */
export function createPushDelivery(store: TaskStore, options: PushOptions = {}): PushDelivery {
  const { attempts = 6, firstDelayMs = 1000, maxDelayMs = 300_000, timeoutMs = 10_000 } = options
  const { maxBodyBytes = 1024 * 1024, concurrency = 64, queued = 1000 } = options
  const { now = Date.now, random = Math.random, onDead = () => {}, onError = () => {} } = options
  const guard = options.guard ?? createGuard()
  const closing = new AbortController()
  const queues = new Map<string, OutboxItem[]>()
  const waiting: (() => void)[] = []
  const working = new Set<Promise<void>>()
  let free = concurrency
  let last = 0

  const restored = store.outbox().then(
    (items) => {
      for (const item of [...items].sort((a, b) => (a.id < b.id ? -1 : 1))) enqueue(item)
      return new Set(items.map(({ id }) => id))
    },
    (error: unknown) => {
      onError(error)
      return new Set<string>()
    },
  )

  /** Sorts by time of making. */
  function nextId(): string {
    last = Math.max(last + 1, now() * 1000)
    return `${last.toString(36).padStart(11, '0')}${randomBytes(6).toString('hex')}`
  }

  function enqueue(item: OutboxItem): void {
    const key = JSON.stringify([item.taskId, item.configId])
    const queue = queues.get(key)
    if (queue !== undefined) {
      queue.push(item)
      return
    }
    const items = [item]
    queues.set(key, items)
    const work = drain(items)
      .catch(onError)
      .finally(() => {
        queues.delete(key)
        working.delete(work)
      })
    working.add(work)
  }

  async function drain(queue: OutboxItem[]): Promise<void> {
    for (let item = queue[0]; item !== undefined; item = queue[0]) {
      const outcome = await deliver(item)
      if (outcome === 'closing') return
      if (outcome !== 'delivered') onDead(item, outcome)
      await store.dropOutbox(item.id)
      queue.shift()
    }
  }

  /** `delivered`, `closing`, or why it was given up. */
  async function deliver(first: OutboxItem): Promise<string> {
    for (let item = first; ; ) {
      if (!(await pause(item.dueAt - now()))) return 'closing'
      const config = await findConfig(item)
      if (config === undefined) return 'the config is gone'
      const outcome = await withSlot(() => attempt(item, config))
      if (outcome === 'closing' || outcome === 'delivered') return outcome
      if (outcome === 'gone' || outcome === 'refused') {
        await store.deletePush(item.owner, item.tenant, item.taskId, item.configId)
        return outcome === 'gone' ? 'the receiver is gone' : 'the URL is refused now'
      }
      const attempted = item.attempt + 1
      if (attempted >= attempts) return `${attempts} tries failed`
      const delay = Math.min(maxDelayMs, firstDelayMs * 2 ** (attempted - 1)) * (0.5 + random() / 2)
      item = { ...item, attempt: attempted, dueAt: now() + delay }
      await store.putOutbox(item)
    }
  }

  async function attempt(item: OutboxItem, config: StoredPush): Promise<string> {
    if (closing.signal.aborted) return 'closing'
    try {
      const response = await guard.fetch(config.url, {
        method: 'POST',
        body: item.body,
        headers: await headersOf(item, config),
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]),
      })
      await response.body?.cancel()
      if (response.ok) return 'delivered'
      return response.status === 404 || response.status === 410 ? 'gone' : 'failed'
    } catch (error) {
      if (closing.signal.aborted) return 'closing'
      const cause = GuardError.is(error) ? error : (error as Error).cause
      const isRefused = GuardError.is(cause) && cause.code !== 'REDIRECT_REFUSED'
      return isRefused ? 'refused' : 'failed'
    }
  }

  async function headersOf(item: OutboxItem, config: StoredPush): Promise<Record<string, string>> {
    const { authentication, token, url } = config
    const { id, taskId, body } = item
    return {
      'content-type': config.legacy === true ? 'application/json' : 'application/a2a+json',
      [NOTIFICATION_ID_HEADER]: id,
      ...(token !== undefined && { [NOTIFICATION_TOKEN_HEADER]: token }),
      ...(authentication !== undefined && {
        authorization: [authentication.scheme, authentication.credentials].filter(Boolean).join(' '),
      }),
      ...(await options.sign?.({ id, taskId, url, body })),
    }
  }

  async function findConfig(item: OutboxItem): Promise<StoredPush | undefined> {
    const configs = await store.listPush(item.owner, item.tenant, item.taskId)
    return configs.find(({ id }) => id === item.configId)
  }

  async function withSlot<T>(work: () => Promise<T>): Promise<T> {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }

  /** False when closed meanwhile. */
  async function pause(ms: number): Promise<boolean> {
    if (ms > 0) await sleep(ms, undefined, { signal: closing.signal, ref: false }).catch(() => {})
    return !closing.signal.aborted
  }

  return {
    async check(config) {
      const { scheme = '', credentials = '' } = config.authentication ?? {}
      if (/[\r\n\0]/.test(`${scheme}${credentials}${config.token ?? ''}`))
        throw refusal('authentication', 'must not contain line breaks')
      try {
        await guard.check(config.url)
      } catch (error) {
        if (GuardError.is(error)) throw refusal('url', error.message)
        throw refusal('url', 'its name does not resolve')
      }
      if (options.challenge !== true) return
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)])
      const isAnswered = await isOwned(config.url, guard, signal).catch(() => false)
      if (!isAnswered) throw refusal('url', 'it did not answer the challenge')
    },
    prepare({ owner, tenant, task }, config, event) {
      const item: OutboxItem = {
        id: nextId(),
        owner,
        tenant,
        taskId: task.id,
        configId: config.id,
        body: notificationBody(event, task, config.legacy === true, maxBodyBytes),
        attempt: 0,
        dueAt: now(),
      }
      const ahead = queues.get(JSON.stringify([item.taskId, item.configId]))?.length ?? 0
      if (ahead < queued) return item
      onDead(item, 'too many notifications wait for this config')
      return undefined
    },
    send(items) {
      void restored.then((old) => {
        for (const item of items) if (!old.has(item.id)) enqueue(item)
      })
    },
    async close() {
      closing.abort()
      for (const resume of waiting.splice(0)) resume()
      await restored
      await Promise.all(working)
      if (options.guard === undefined) await guard.close()
    },
  }
}

function refusal(field: string, description: string): A2AError {
  const path = `taskPushNotificationConfig.${field}`
  return new A2AError('INVALID_PARAMS', undefined, { violations: [{ field: path, description }] })
}
