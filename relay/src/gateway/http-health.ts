/**
 * `/healthz`, `/readyz` and `/v1/info` (spec 10.1, 10.6). Healthy means that the process answers; ready, that it would
 * take a publish: the store writes, its disk has room, and no drain is under way.
 */
import { open, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { REJECTS, type RejectCode } from '@aetherkit/core'
import type { GatewayHost } from './gateway.js'
import { sendJson } from './http-answer.js'
import type { Feed } from './http-feed.js'
import type { Exchange } from './http-routes.js'

export interface HealthOptions {
  readonly host: GatewayHost
  readonly feed: Feed
  /** The folder of the store's files; absent: the store has none. */
  readonly dataPath?: string | undefined
  /** Free bytes of its disk below which the relay is not ready. */
  readonly minFreeBytes: number
  isDraining(): boolean
}

/** How long the outcome of a probe is good for: nobody can make the disk busy by asking. */
const PROBE_MS = 1000
/** A probe that takes longer has failed. */
const PROBE_TIMEOUT_MS = 5000

export class Health {
  readonly #options: HealthOptions
  readonly #started = performance.now()
  #probe: Promise<RejectCode | undefined> | undefined
  #probedAt = 0
  #freeBytes: number | undefined

  constructor(options: HealthOptions) {
    this.#options = options
  }

  healthz({ response }: Exchange): void {
    const { host, feed } = this.#options
    const { connections, subscriptions, publishes } = host.stats()
    sendJson(response, 200, {
      status: 'ok',
      dropped_messages: feed.dropped,
      uptime_seconds: Math.floor((performance.now() - this.#started) / 1000),
      ...{ connections, subscriptions, publishes },
      http_subscriptions: feed.size,
      stream_readers: feed.readers,
    })
  }

  async readyz({ response }: Exchange): Promise<void> {
    const code = this.#options.isDraining() ? 'going_away' : await this.#probed()
    const facts = { free_bytes: this.#freeBytes }
    if (code === undefined) sendJson(response, 200, { status: 'ok', ...facts })
    else {
      const message = REJECTS[code].error
      sendJson(response, 503, { status: 'unavailable', error: code, message, code, ...facts })
    }
  }

  info({ response }: Exchange): void {
    sendJson(response, 200, this.#options.host.bus.info())
  }

  #probed(): Promise<RejectCode | undefined> {
    const now = performance.now()
    if (this.#probe === undefined || now - this.#probedAt >= PROBE_MS) {
      this.#probedAt = now
      this.#probe = inTime(this.#writes()).catch((error: unknown) =>
        hasCode(error, 'ENOSPC') || hasCode(error, 'storage_full') ? 'storage_full' : 'unavailable',
      )
    }
    return this.#probe
  }

  async #writes(): Promise<RejectCode | undefined> {
    const { host, dataPath, minFreeBytes } = this.#options
    // An empty group waits its turn behind the others and fails when the store does.
    await host.bus.history.store.put([])
    if (dataPath === undefined) return undefined
    const { bavail, bsize } = await statfs(dataPath)
    this.#freeBytes = bavail * bsize
    if (this.#freeBytes < minFreeBytes) return 'storage_full'
    await writeProbe(join(dataPath, '.ready-probe'))
    return undefined
  }
}

/** Writes a block and waits until the disk has it. */
async function writeProbe(path: string): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.write(Buffer.alloc(4096))
    await file.sync()
  } finally {
    await file.close()
    await unlink(path)
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the store does not answer')), PROBE_TIMEOUT_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
