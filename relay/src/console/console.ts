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
import type { Exchange, HttpRoute } from '../gateway/http-routes.js'
import { AdminToken } from './admin-token.js'
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
  /** Absent: no console. */
  readonly token: string | undefined
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

/** @throws RangeError for a token that is none. */
export function openConsole(options: ConsoleOptions): {
  readonly routes: readonly HttpRoute[]
  close(): void
} {
  const { token, host, streams } = options
  const paths = ['/', '/v1/console', '/v1/console/stream'] as const
  if (token === undefined) {
    const refuse = () => {
      throw new Refused(reject('not_found', undefined, NO_CONSOLE))
    }
    return { routes: paths.map((path) => ({ path, methods: { GET: refuse } })), close() {} }
  }
  const console = new Console(host, streams, new AdminToken(token))
  const [page, state, stream] = paths
  return {
    routes: [
      { path: page, methods: { GET: (exchange) => console.page(exchange) } },
      { path: state, methods: { GET: (exchange) => console.state(exchange) } },
      { path: stream, methods: { GET: (exchange) => console.stream(exchange) } },
    ],
    close: () => console.close(),
  }
}

class Console {
  readonly #host: GatewayHost
  readonly #streams: Iterable<Stream>
  readonly #token: AdminToken
  readonly #tally = new Tally()
  readonly #open = new Set<ConsoleStream>()
  #timer: NodeJS.Timeout | undefined
  #ticks = 0
  #messages: ReadonlyMap<string, string> = new Map()
  #agents: readonly Agent[] = []
  #agentsAt = Number.NEGATIVE_INFINITY
  #agentsChanged = true

  constructor(host: GatewayHost, streams: Iterable<Stream>, token: AdminToken) {
    this.#host = host
    this.#streams = streams
    this.#token = token
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
    this.#admit(exchange)
    sendJson(exchange.response, 200, JSON.stringify({ ...this.#state(), agents: this.#agentsNow(0) }))
  }

  stream(exchange: Exchange): void {
    this.#admit(exchange)
    const { request, response, peer, search } = exchange
    const { bus } = this.#host
    const filters = readQueryFilters(search, bus.limits, new Set())
    if (this.#open.size >= MAX_CONSOLES)
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
    this.#open.add(stream)
    stream.start()
    // A new console is shown the state at once.
    this.#ticks = 0
    if (this.#open.size > 0) this.#timer ??= setInterval(() => this.#tick(), TICK_MS)
  }

  /** Drain: every page is told, and its stream ends. */
  close(): void {
    for (const stream of [...this.#open]) stream.end(reject('going_away'))
  }

  #closed(stream: ConsoleStream): void {
    this.#open.delete(stream)
    if (this.#open.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** @throws Refused unless the token is shown. */
  #admit({ request, response }: Exchange): void {
    response.setHeader('cache-control', 'no-store')
    response.setHeader('x-content-type-options', 'nosniff')
    if (this.#token.admits(request)) return
    response.setHeader('www-authenticate', 'Bearer')
    throw new Refused(reject('auth_required', undefined, 'the admin token, as Authorization: Bearer'))
  }

  #tick(): void {
    try {
      if (this.#ticks++ % STATE_TICKS === 0)
        this.#messages = new Map([
          ['state', JSON.stringify(this.#state())],
          ['agents', JSON.stringify(this.#agentsNow(TICK_MS * STATE_TICKS))],
        ])
      for (const stream of [...this.#open]) stream.tick(this.#messages)
    } catch (error) {
      this.#host.bus.observe({ type: 'fault', error })
      for (const stream of [...this.#open]) stream.end(reject('unavailable'))
    }
  }

  #state() {
    const [host, tally, streams] = [this.#host, this.#tally, this.#streams]
    return stateOf({ host, tally, streams, consoles: this.#open })
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
