/**
 * Connections, accepts and HTTP requests per address (spec 7.5), over all ports of a relay. Memory is bounded by open
 * connections and by the buckets.
 */
import type { Socket } from 'node:net'
import type { Limits } from './limits.js'
import { isLoopback } from './own-url.js'
import { Buckets } from './policy.js'

/** Seconds of requests that an address may bring at once. */
const BURST_SECONDS = 4

export class Admission {
  readonly #limits: Limits
  readonly #open = new Map<string, number>()
  readonly #accepts: Buckets
  readonly #requests: Buckets

  constructor(limits: Limits) {
    this.#limits = limits
    const { acceptsPerSecondPerIp: accepts, requestsPerSecondPerIp: requests } = limits
    this.#accepts = new Buckets({ capacity: accepts, perSecond: accepts })
    this.#requests = new Buckets({ capacity: requests * BURST_SECONDS, perSecond: requests })
  }

  /** Whether a connection from this address is let in; then {@link leave} must follow. */
  enter(address: string): boolean {
    if (this.#isExempt(address)) return true
    const open = this.#open.get(address) ?? 0
    if (open >= this.#limits.connectionsPerIp) return false
    if (this.#accepts.take(address, performance.now()) !== undefined) return false
    this.#open.set(address, open + 1)
    return true
  }

  leave(address: string): void {
    const open = this.#open.get(address) ?? 0
    if (open > 1) this.#open.set(address, open - 1)
    else this.#open.delete(address)
  }

  /** Counts one HTTP request; the milliseconds to wait when there are too many. */
  request(address: string): number | undefined {
    return this.#isExempt(address) ? undefined : this.#requests.take(address, performance.now())
  }

  #isExempt(address: string): boolean {
    return this.#limits.exemptLoopback && isLoopback(address)
  }
}

/** Remote IP address, an IPv4 one in its own form. */
export function addressOf(socket: Pick<Socket, 'remoteAddress'>): string {
  const address = socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
