/** An agent somewhere else, as an object (spec a2a 2.1, 6.2 no. 18): the same over HTTP and over Aether events. */
import type {
  AgentCard,
  JsonRecord,
  ListTasksRequest,
  ListTasksResponse,
  Message,
  Part,
  PushConfig,
  SendMessageRequest,
  SendMessageResponse,
  StreamResponse,
  Task,
} from '../model.js'
import type { Version } from '../version.js'

export interface RemoteCallOptions {
  readonly signal?: AbortSignal | undefined
  /** Of the whole call, retries and all, ms. */
  readonly timeoutMs?: number | undefined
}

/** A text, parts, or a message; its id is made unless given, and stays the same over retries. */
export type Draft =
  | string
  | readonly Part[]
  | (Partial<Omit<Message, 'role' | 'parts'>> & {
      readonly parts?: readonly Part[]
      readonly text?: string
      readonly data?: JsonRecord
    })

export interface MessageOptions extends RemoteCallOptions {
  readonly contextId?: string | undefined
  /** The task that the message answers. */
  readonly taskId?: string | undefined
  readonly messageId?: string | undefined
  readonly metadata?: JsonRecord | undefined
  readonly configuration?: SendMessageRequest['configuration'] | undefined
}

export interface RemoteAgent {
  /** As it was verified, if it was. */
  readonly card: AgentCard
  /** Where the card was found. */
  readonly cardUrl: string | undefined
  /** It has a budget: what agents ask is paid within it. */
  readonly pays: boolean
  /** The key that signed the card, where that was asked for. */
  readonly verifiedBy: string | undefined
  /** What is spoken: it may change at the first call. */
  readonly interface: { readonly url: string; readonly binding: string; readonly version: Version }
  /**
   * Waits until the task rests, or answers at once with `configuration.returnImmediately`. What costs is paid by policy.
   * @throws AgentError, also PAYMENT_REQUIRED where nobody pays; PaymentError of the policy; the signal's reason
   */
  send(message: Draft, options?: MessageOptions): Promise<SendMessageResponse>
  /** One message, or the task first and then updates until it rests; broken streams go on by themselves. */
  stream(message: Draft, options?: MessageOptions): AsyncIterable<StreamResponse>
  get(id: string, options?: RemoteCallOptions & { readonly historyLength?: number }): Promise<Task>
  list(request?: ListTasksRequest, options?: RemoteCallOptions): Promise<ListTasksResponse>
  cancel(id: string, options?: RemoteCallOptions): Promise<Task>
  /** The task as it is, and then as `stream`. */
  subscribe(id: string, options?: RemoteCallOptions): AsyncIterable<StreamResponse>
  /** Pays what the task waits for, by policy; a task that waits for no money comes back as it is. */
  pay(task: Task, options?: RemoteCallOptions): Promise<Task>
  readonly push: {
    create(config: PushConfig & { readonly taskId: string }, options?: RemoteCallOptions): Promise<PushConfig>
    get(taskId: string, id: string, options?: RemoteCallOptions): Promise<PushConfig>
    list(
      taskId: string,
      options?: RemoteCallOptions & { readonly pageSize?: number; readonly pageToken?: string },
    ): Promise<{ readonly configs: readonly PushConfig[]; readonly nextPageToken: string }>
    delete(taskId: string, id: string, options?: RemoteCallOptions): Promise<void>
  }
  extendedCard(options?: RemoteCallOptions): Promise<AgentCard>
  /**
   * A signed `agent.request` (spec a2a 3), for agents whose card declares it; its `data`. A payment is made by policy.
   * @throws AgentError UNSUPPORTED_OPERATION for a card that does not, and as the agent answers
   */
  request(
    action: string,
    payload: JsonRecord,
    options?: RemoteCallOptions & { readonly idempotencyKey?: string },
  ): Promise<JsonRecord>
  close(): Promise<void>
}

/** The message of a draft. */
export function messageOf(draft: Draft, options: MessageOptions): Message {
  const given = typeof draft === 'string' ? { text: draft } : isParts(draft) ? { parts: draft } : draft
  const { text, data, parts = [], ...rest } = given
  const all: readonly Part[] = [
    ...(text === undefined ? [] : [{ text }]),
    ...(data === undefined ? [] : [{ data }]),
    ...parts,
  ]
  if (all.length === 0) throw new TypeError('a message needs a text, data or parts')
  const { contextId, taskId, metadata, messageId } = options
  return {
    ...rest,
    messageId: messageId ?? rest.messageId ?? crypto.randomUUID(),
    role: 'ROLE_USER',
    parts: all,
    ...(contextId !== undefined && { contextId }),
    ...(taskId !== undefined && { taskId }),
    ...(metadata !== undefined && { metadata: { ...rest.metadata, ...metadata } }),
  }
}

const isParts = (draft: Exclude<Draft, string>): draft is readonly Part[] => Array.isArray(draft)
