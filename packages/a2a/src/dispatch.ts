/**
 * The seam between carriers and protocols: one JSON-RPC envelope in, one out, or a stream of them; the same for HTTP and
 * for Aether events (spec a2a 5), for A2A 1.0, 0.3 and `agent.request`.
 */
import type { Caller } from './engine.js'
import type { JsonRecord } from './model.js'

export interface DispatchRequest {
  /** JSON text of the envelope. */
  readonly body: string
  /** Header or query `A2A-Version`. */
  readonly version: string | undefined
  /** Header `A2A-Extensions`. */
  readonly extensions: string | undefined
  readonly caller: Caller
  readonly tenant: string
  /** By lower-case name. */
  readonly header?: (name: string) => string | undefined
  readonly signal?: AbortSignal
  readonly peer?: string
  readonly carrier: 'jsonrpc' | 'events'
  /** `Last-Event-ID`. */
  readonly after?: number
  /** Authentication was asked for and failed: only methods that bring an identity of their own are served. */
  readonly unauthenticated?: true
  /** For the line in the log (spec a2a 7.11). */
  readonly observe?: (facts: Observed) => void
}

/** What a carrier cannot see of a call. */
export interface Observed {
  readonly method?: string
  readonly version?: string
  readonly task?: string
  /** Code of the error the caller got, or `ok`. */
  readonly outcome?: string
}

export type DispatchReply =
  | {
      readonly kind: 'single'
      readonly status: number
      readonly envelope: JsonRecord
      readonly headers: Readonly<Record<string, string>>
    }
  | {
      readonly kind: 'stream'
      readonly events: AsyncIterable<{
        readonly seq: number
        readonly envelope: JsonRecord
        readonly gap?: boolean
      }>
      /** The caller asked for the resume extension: numbers go out as SSE `id:`. */
      readonly numbered?: true
      readonly headers: Readonly<Record<string, string>>
    }

export type Dispatch = (request: DispatchRequest) => Promise<DispatchReply>

/** Methods that are no A2A, recognised before the A2A dispatch (spec a2a 1). */
export interface MethodExtension {
  readonly methods: readonly string[]
  /** Calls prove who they are from, as signed ones do: they are served without authentication of the carrier. */
  readonly authenticates?: true
  /** The envelope is an object with one of these methods; `jsonrpc`, `id` and `params` are not checked yet. */
  handle(envelope: JsonRecord, request: DispatchRequest): Promise<DispatchReply>
}
