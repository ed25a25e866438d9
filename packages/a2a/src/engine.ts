/**
 * The seam between the carriers (JSON-RPC, REST, 0.3, `agent.request`, Aether events) and the tasks: one object, every
 * operation of A2A 1.0 (spec a2a 2.1), in the JSON shapes of `model.ts`. A request that reaches it has a valid shape;
 * ownership, idempotency, order, limits and payment are decided behind it.
 */
import type {
  AgentCard,
  ListTasksRequest,
  ListTasksResponse,
  PushConfig,
  SendMessageRequest,
  SendMessageResponse,
  StreamResponse,
  Task,
} from './model.js'

/** Who calls. Tasks, contexts and idempotency keys belong to the owner. */
export interface Caller {
  /** `solana:<base58>`, `aether:<hex>`, `bearer:<subject>`, or `anonymous`. */
  readonly owner: string
  readonly anonymous: boolean
}

export interface CallContext {
  readonly caller: Caller
  readonly tenant: string
  readonly version: '1.0' | '0.3'
  readonly carrier: 'jsonrpc' | 'rest' | 'dialect' | 'events'
  /** URIs of extensions that the caller asked for. */
  readonly extensions: ReadonlySet<string>
  /** Names an extension that was used for this call: echoed to the caller. */
  activate(uri: string): void
  /** The caller is gone. It ends a wait or a stream, never the task. */
  readonly signal?: AbortSignal
  /** Payment headers, where the carrier has headers; by lower-case name. */
  readonly header?: (name: string) => string | undefined
  /** Who is limited together, such as an address. */
  readonly peer?: string
}

/** `seq` counts the updates of one task from 1; a snapshot carries the seq it includes. */
export interface Numbered {
  readonly seq: number
  readonly event: StreamResponse
  /** A snapshot that stands for updates which are no longer held (resume extension, spec a2a 7.7). */
  readonly gap?: boolean
}

/** Every method throws A2AError; streams throw before the first item when the call itself is refused. */
export interface Engine {
  send(request: SendMessageRequest, context: CallContext): Promise<SendMessageResponse>
  stream(request: SendMessageRequest, context: CallContext): AsyncIterable<Numbered>
  get(request: { readonly id: string; readonly historyLength?: number }, context: CallContext): Promise<Task>
  list(request: ListTasksRequest, context: CallContext): Promise<ListTasksResponse>
  cancel(request: { readonly id: string }, context: CallContext): Promise<Task>
  /** First a snapshot, or with `after` the held updates behind it. */
  subscribe(
    request: { readonly id: string; readonly after?: number },
    context: CallContext,
  ): AsyncIterable<Numbered>
  createPush(config: PushConfig & { readonly taskId: string }, context: CallContext): Promise<PushConfig>
  getPush(
    request: { readonly taskId: string; readonly id: string },
    context: CallContext,
  ): Promise<PushConfig>
  listPush(
    request: { readonly taskId: string; readonly pageSize?: number; readonly pageToken?: string },
    context: CallContext,
  ): Promise<{ readonly configs: readonly PushConfig[]; readonly nextPageToken: string }>
  deletePush(request: { readonly taskId: string; readonly id: string }, context: CallContext): Promise<void>
  extendedCard(context: CallContext): Promise<AgentCard>
  /** Open tasks of a dead process: handed to the executor's `recover`, or failed. Before the first call is taken. */
  recover(): Promise<{ readonly resumed: number; readonly failed: number }>
  /** Ends streams so that callers subscribe again, aborts what runs, writes what is to be kept. */
  close(): Promise<void>
}
