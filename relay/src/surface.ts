/** The surfaces that keep connections open (spec, words; 7.1): labels of metrics, logs and the console. A closed list. */

/**
 * - `native`: the native port
 * - `nostr`: the Nostr gateway
 * - `ws`: `/v1/ws`, on either port
 * - `stream`: readers of `/v1/stream`
 * - `console`: pages of the console
 */
export const SURFACES = ['native', 'nostr', 'ws', 'stream', 'console'] as const
export type Surface = (typeof SURFACES)[number]

/** Those that are WebSockets. */
export type SocketSurface = Exclude<Surface, 'stream' | 'console'>

/** Somebody that a surface is open to. */
export interface OpenPeer {
  readonly surface: Surface
  /** Bytes that it has not taken yet. */
  readonly backlog: number
}

export type SurfaceCounts = Readonly<Record<Surface, number>>

/** How many there are of each surface, and the bytes that they have not taken. Looks at every one. */
export function countOpen(peers: Iterable<OpenPeer>): {
  readonly connections: number
  readonly surfaces: SurfaceCounts
  readonly outboxBytes: number
} {
  const surfaces = { native: 0, nostr: 0, ws: 0, stream: 0, console: 0 }
  let [connections, outboxBytes] = [0, 0]
  for (const { surface, backlog } of peers) {
    surfaces[surface]++
    connections++
    outboxBytes += backlog
  }
  return { connections, surfaces, outboxBytes }
}
