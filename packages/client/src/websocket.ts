/** What a platform's WebSocket must do for us. Two files do it: one for Node, one for browsers. */

interface SocketListener {
  opened(): void
  /** Text as a string, binary as bytes. */
  received(data: string | Uint8Array): void
  /** A pong, or a ping of the peer, where the platform shows them. */
  alive(): void
  /** Once, whatever ended it; nothing comes after it. */
  closed(code: number, reason: string): void
}

export interface Socket {
  send(data: string | Uint8Array): void
  /** Closing handshake. */
  close(): void
  /** Drops the connection at once, as far as the platform lets us. */
  terminate(): void
  /** Absent where the platform keeps pings to itself. */
  ping?(): void
  /** Stop and go on reading. Absent where the platform cannot. */
  pause?(): void
  resume?(): void
}

/** `maxFrame`: the largest message to take, bytes. */
export type OpenSocket = (url: string, listener: SocketListener, maxFrame: number) => Socket
