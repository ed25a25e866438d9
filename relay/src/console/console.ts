/**
 * The console of the operator: a page at `/` of the HTTP port, and what it shows.
 *
 *   GET /                    the page; it holds no data and asks for the token
 *   GET /v1/console          the state now, as JSON       with the token
 *   GET /v1/console/stream   the state and events, live   with the token
 *
 * A relay without an admin token has no console: all three are `not_found` then. What events are shown, and how much
 * of them, is what any peer could read; the token opens the view of connections, subscriptions and counts.
 */
import { reject } from '@aetherkit/core'
import type { GatewayHost } from '../gateway/gateway.js'
import { Refused, sendJson } from '../gateway/http-answer.js'
import { readQueryFilters } from '../gateway/http-filters.js'
import { assertToken } from '../gateway/http-operator.js'
import type { Exchange, Handler, HttpRoute } from '../gateway/http-routes.js'
import type { AdminToken } from './admin-token.js'
import { agentsOf, OFFER_KIND, PROFILE_KIND } from './agents.js'
import type { Agent } from './console-data.js'
import { ConsoleStream } from './console-stream.js'
import { CONSOLE_PAGE, PAGE_HEADERS } from './page.js'
import { type Stream, stateOf } from './state.js'
import { Tally } from './tally.js'

export interface ConsoleOptions {
  readonly host: GatewayHost
  /** Readers of `/v1/stream`. */
  readonly streams: Iterable<Stream>
  /** Without one there is no console. */
  readonly admin: AdminToken
}

/** Between two writes to open consoles. */
const TICK_MS = 250
/** The state is sent every so many ticks, and streams look for agents at most this often. */
const STATE_TICKS = 4
/** Agents are looked for again after so many milliseconds, also when no new one was seen. */
const AGENTS_MS = 30_000
/** Stored events that a console begins with. */
const RECENT = 50
const MAX_CONSOLES = 8

const NO_CONSOLE = 'no console: it needs an admin token, see --http-admin-token-file'

export function openConsole(options: ConsoleOptions): {
  readonly routes: readonly HttpRoute[]
  /** The pages that look. */
  readonly open: Iterable<ConsoleStream>
  close(): void
} {
  const { admin } = options
  const console = new Console(options)
  const ifAny = (handler: Handler) => ({
    GET(exchange: Exchange) {
      if (!admin.isSet) throw new Refused(reject('not_found', undefined, NO_CONSOLE))
      return handler(exchange)
    },
  })
  return {
    routes: [
      { path: '/', methods: ifAny((exchange) => console.page(exchange)) },
      { path: '/v1/console', methods: ifAny((exchange) => console.state(exchange)) },
      { path: '/v1/console/stream', methods: ifAny((exchange) => console.stream(exchange)) },
    ],
    open: console.open,
    close: () => console.close('going_away'),
  }
}

class Console {
  readonly #host: GatewayHost
  readonly #streams: Iterable<Stream>
  readonly #admin: AdminToken
  readonly #tally = new Tally()
  readonly open = new Set<ConsoleStream>()
  #timer: NodeJS.Timeout | undefined
  #ticks = 0
  #messages: ReadonlyMap<string, string> = new Map()
  #agents: readonly Agent[] = []
  #agentsAt = Number.NEGATIVE_INFINITY
  #agentsChanged = true

  constructor({ host, streams, admin }: ConsoleOptions) {
    this.#host = host
    this.#streams = streams
    this.#admin = admin
    admin.onReplace(() => this.close('auth_required'))
    host.watch((event) => {
      this.#tally.observe(event)
      if (event.type === 'accepted' && (event.kind === PROFILE_KIND || event.kind === OFFER_KIND))
        this.#agentsChanged = true
    })
  }

  page({ response }: Exchange): void {
    for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value)
    response.setHeader('content-length', Buffer.byteLength(CONSOLE_PAGE))
    response.end(CONSOLE_PAGE)
  }

  state(exchange: Exchange): void {
    assertToken(exchange, this.#admin)
    sendJson(exchange.response, 200, JSON.stringify({ ...this.#state(), agents: this.#agentsNow(0) }))
  }

  stream(exchange: Exchange): void {
    assertToken(exchange, this.#admin)
    const { request, response, peer, search } = exchange
    const { bus } = this.#host
    const filters = readQueryFilters(search, bus.limits, new Set())
    if (this.open.size >= MAX_CONSOLES)
      throw new Refused(reject('unavailable', undefined, `at most ${MAX_CONSOLES} consoles`))
    response.setHeader('content-type', 'text/event-stream')
    response.setHeader('x-accel-buffering', 'no')
    if (request.method === 'HEAD') {
      response.end()
      return
    }
    response.flushHeaders()
    const stream = new ConsoleStream({
      ...{ bus, peer, response, filters: filters.map((filter) => ({ limit: RECENT, ...filter })) },
      closed: (gone) => this.#closed(gone),
    })
    this.open.add(stream)
    bus.observe({ type: 'connected', peer, surface: 'console' })
    stream.start()
    // A new console is shown the state at once.
    this.#ticks = 0
    if (this.open.size > 0) this.#timer ??= setInterval(() => this.#tick(), TICK_MS)
  }

  /** Every page is told why, and its stream ends: in a drain, or because another token holds now. */
  close(why: 'going_away' | 'auth_required'): void {
    for (const stream of [...this.open]) stream.end(reject(why))
  }

  #closed(stream: ConsoleStream): void {
    this.open.delete(stream)
    this.#host.bus.observe({ type: 'disconnected', peer: stream.peer, surface: 'console' })
    if (this.open.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    try {
      if (this.#ticks++ % STATE_TICKS === 0)
        this.#messages = new Map([
          ['state', JSON.stringify(this.#state())],
          ['agents', JSON.stringify(this.#agentsNow(TICK_MS * STATE_TICKS))],
        ])
      for (const stream of [...this.open]) stream.tick(this.#messages)
    } catch (error) {
      this.#host.bus.observe({ type: 'fault', error })
      for (const stream of [...this.open]) stream.end(reject('unavailable'))
    }
  }

  #state() {
    const [host, tally, streams] = [this.#host, this.#tally, this.#streams]
    return stateOf({ host, tally, streams, consoles: this.open })
  }

  /** Changes are looked for when the last look is `leastMs` ago. */
  #agentsNow(leastMs: number): readonly Agent[] {
    const now = performance.now()
    const age = now - this.#agentsAt
    if ((this.#agentsChanged && age >= leastMs) || age >= AGENTS_MS) {
      this.#agentsChanged = false
      this.#agentsAt = now
      this.#agents = agentsOf(this.#host.bus.history)
    }
    return this.#agents
  }
}
