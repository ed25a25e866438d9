/** The native port (spec 4, 5), a gateway like the others: the sessions of WebSockets, whatever port they came in by. */
import type { Bus } from './bus.js'
import type { Connection } from './connection.js'
import type { Gateway, GatewayHost } from './gateway/gateway.js'
import { openPort } from './listener.js'
import { answerPlainHttp } from './plain-http.js'
import type { ErrorWording } from './replies.js'
import { Session } from './session.js'

export interface NativeOptions {
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
}

/** @throws the error of `listen`. */
export async function openNativePort(
  { bus, admission, sockets, serveNative, tls, origins }: GatewayHost,
  { host, port }: NativeOptions,
): Promise<Gateway & { readonly port: number }> {
  const { limits } = bus
  const listener = await openPort({ host, port, limits, admission, requestMs: limits.headersMs, tls })
  answerPlainHttp(listener.http, () => bus.info())
  sockets.attach(listener.http, {
    ...{ surface: 'native', protocols: ['aether.v2'], origins },
    onConnection: (connection) => serveNative(connection),
  })
  return {
    port: listener.port,
    stop: () => listener.stop(),
    farewell() {},
    async close() {
      listener.http.closeAllConnections()
    },
  }
}

/** The sessions of all open connections. */
export class Sessions {
  readonly #bus: Bus
  readonly #open = new Set<Session>()

  constructor(bus: Bus) {
    this.#bus = bus
  }

  add(connection: Connection, wording?: ErrorWording): void {
    const { surface } = connection
    const ended = (session: Session) => {
      this.#open.delete(session)
      this.#bus.observe({ type: 'disconnected', peer: session.peer, surface })
    }
    const session = new Session(this.#bus, connection, ended, wording)
    connection.listener = session
    this.#open.add(session)
    this.#bus.observe({ type: 'connected', peer: session.peer, surface })
  }

  farewell(): void {
    for (const session of this.#open) session.farewell()
  }
}
