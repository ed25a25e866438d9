/**
 * The post of A2A frames (spec a2a 5): one subscription of a client, sealed events out and in. What reaches a listener is
 * fresh, was opened (plaintext is refused), came once, and is from the event's author to us.
 */

import { type Client, ClientError, type PublishOptions, type Subscription } from '@aetherkit/client'
import type { VerifiedEvent } from '@aetherkit/core'
import { DEFAULT_WINDOW } from '../dialect/stamp.js'
import { A2AError } from '../errors.js'
import { A2A_KIND, type Frame, isPiece, readFrame } from './frame.js'
import { Assembler, cutFrame, DEFAULT_PIECES, type PieceLimits } from './pieces.js'
import { SeenEvents } from './seen.js'

export interface PostOptions {
  readonly pieces?: PieceLimits
  readonly now?: () => number
  /** Hears of frames that cannot be sent and of a listener that throws. */
  readonly onError?: (error: unknown) => void
}

export interface Post {
  /** Ours, hex. */
  readonly publicKey: string
  /** Resolves when frames reach us at every connected relay; rejects with CANNOT_SEAL. */
  readonly ready: Promise<void>
  /** @throws A2AError TOO_LARGE; ClientError as `publish`; TypeError for a key nobody can own */
  send(frame: Omit<Frame, 'from'>, options?: PublishOptions): Promise<void>
  close(): void
}

/** One subscription a client, whatever is served and called with it. */
const POSTS = new WeakMap<Client, { readonly post: Post; readonly listeners: Set<(frame: Frame) => void> }>()

/** Joins the post of a client; the first to join decides its options. It ends when the last has left. */
export function joinPost(client: Client, listener: (frame: Frame) => void, options: PostOptions = {}): Post {
  let shared = POSTS.get(client)
  if (shared === undefined) {
    const listeners = new Set<(frame: Frame) => void>()
    const deliver = (frame: Frame) => {
      for (const each of listeners) each(frame)
    }
    shared = { post: openPost(client, deliver, options), listeners }
    POSTS.set(client, shared)
  }
  const { post, listeners } = shared
  listeners.add(listener)
  return {
    ...post,
    close() {
      if (!listeners.delete(listener) || listeners.size > 0) return
      POSTS.delete(client)
      post.close()
    },
  }
}

/** How long a relay may take for one event, ms: they take no old ephemeral ones. */
const SEND_MS = 8_000

function openPost(client: Client, listener: (frame: Frame) => void, options: PostOptions): Post {
  const { now = Date.now, onError = () => {} } = options
  const pieces = { ...DEFAULT_PIECES, ...options.pieces }
  const assembler = new Assembler(pieces)
  const seen = new SeenEvents()
  const { publicKey } = client
  let subscription: Subscription | undefined
  let isOpen = true

  const receive = async (event: VerifiedEvent): Promise<void> => {
    const time = now()
    const sentAt = Number(event.createdAt / 1_000_000n)
    if (sentAt < time - DEFAULT_WINDOW.pastMs || sentAt > time + DEFAULT_WINDOW.futureMs) return
    if (seen.has(event.id)) return
    const plain = await client.open(event)
    const read = plain && readFrame(plain)
    if (read === undefined || read.from !== event.pubkey || read.to !== publicKey) return
    if (!seen.take(event.id, event.pubkey, time)) return
    const frame = isPiece(read) ? assembler.add(event.pubkey, read, time) : read
    if (frame !== undefined && frame.from === event.pubkey && frame.to === publicKey && isOpen)
      listener(frame)
  }

  const open = (): Subscription => {
    const opened = client.subscribe({ kinds: [A2A_KIND], tags: [{ key: 'p', any: [publicKey] }] })
    void read(opened)
    return opened
  }

  const read = async (from: Subscription): Promise<void> => {
    try {
      for await (const event of from) await receive(event).catch(onError)
    } catch (error) {
      if (isOpen && !(ClientError.is(error) && error.code === 'CLOSED')) onError(error)
      // Read too slowly: what was lost is asked for again by those who miss it.
      if (isOpen && ClientError.is(error) && error.code === 'SLOW_CONSUMER') subscription = open()
    }
  }

  const first = open()
  subscription = first
  // A signer that cannot seal is found out now, not with the first frame.
  const ready = client.seal(new Uint8Array(), publicKey).then(() => first.stored)
  ready.catch(() => {})
  return {
    publicKey,
    ready,
    async send(frame, sending) {
      const plains = cutFrame({ ...frame, from: publicKey }, pieces)
      if (plains === undefined) throw new A2AError('TOO_LARGE', 'The frame is longer than this carrier takes')
      for (const plain of plains) {
        const content = await client.seal(plain, frame.to)
        await client.publish(
          { kind: A2A_KIND, tags: [['p', frame.to]], content },
          { timeoutMs: SEND_MS, ...sending },
        )
      }
    },
    close() {
      isOpen = false
      subscription?.close()
    },
  }
}
