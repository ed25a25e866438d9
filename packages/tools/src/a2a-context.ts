/**
 * Conversations with other agents (spec a2a 8.1): which context and which open task a thread has with an agent is kept
 * here, outside the model, so that no id gets lost between turns.
 */
import { type CallJournal, createJournal } from './call-journal.js'
import type { Json } from './json.js'
import type { ApprovalRequest, ToolContext } from './tool-definition.js'

/** What an agent waits for. */
export interface OpenTask {
  readonly taskId: string
  readonly needs: 'input' | 'authorization'
  /** It asked for a yes or no of a human, such as an approval: the model does not answer that alone. */
  readonly consent?: string
}

export interface AgentConversation {
  readonly contextId?: string
  readonly open?: OpenTask
  /** Where each of the last calls went, by call id: a replay goes to the same place. */
  readonly calls?: { readonly [callId: string]: { readonly contextId?: string; readonly taskId?: string } }
}

/** Where conversations are kept: plain JSON under a text key. In memory unless given. */
export interface AgentConversations {
  get(key: string): Promise<AgentConversation | undefined> | AgentConversation | undefined
  set(key: string, conversation: AgentConversation): Promise<void> | void
}

export interface A2AContext extends ToolContext {
  readonly threadId: string
  readonly conversations: AgentConversations
  /** One call of a conversation at a time. */
  inTurn<T>(key: string, work: () => Promise<T>): Promise<T>
  /** What agents wait for, as far as this process knows: gates of frameworks ask without waiting. */
  readonly pending: Map<string, OpenTask>
}

export interface A2AContextOptions {
  /** Of the conversation with the user: agents see one thread as one context. Random when left out. */
  readonly threadId?: string
  /** One in memory for this process by default; several processes need a store of their own. */
  readonly conversations?: AgentConversations
  readonly journal?: CallJournal
  readonly approve?: (request: ApprovalRequest) => boolean | Promise<boolean>
}

interface Shared {
  readonly journal: CallJournal
  readonly queue: Map<string, Promise<unknown>>
  readonly pending: Map<string, OpenTask>
}

const shared = new WeakMap<AgentConversations, Shared>()
const processConversations = memoryAgentConversations()

/** A context of one thread; making it again for each request keeps the conversations and the journal. */
export function a2aContext(options: A2AContextOptions = {}): A2AContext {
  const { threadId = crypto.randomUUID(), conversations = processConversations, approve } = options
  const { journal, queue, pending } = sharedOf(conversations)
  const own = options.journal ?? journal
  return {
    threadId,
    conversations,
    pending,
    // Call ids repeat between threads.
    journal: {
      once: (call, execute) => own.once({ ...call, callId: `${threadId} ${call.callId}` }, execute),
    },
    async inTurn(key, work) {
      const before = queue.get(key)
      const turn = (async () => {
        await before?.catch(() => {})
        return work()
      })()
      queue.set(key, turn)
      try {
        return await turn
      } finally {
        if (queue.get(key) === turn) queue.delete(key)
      }
    },
    ...(approve === undefined ? {} : { approve }),
  }
}

/** The newest `capacity` conversations. */
export function memoryAgentConversations(capacity = 10_000): AgentConversations {
  const kept = new Map<string, string>()
  return {
    get(key) {
      const text = kept.get(key)
      return text === undefined ? undefined : (JSON.parse(text) as AgentConversation)
    },
    set(key, conversation) {
      kept.delete(key)
      kept.set(key, JSON.stringify(conversation))
      for (const oldest of kept.keys()) {
        if (kept.size <= capacity) break
        kept.delete(oldest)
      }
    },
  }
}

export const conversationKey = (threadId: string, agent: string): string => JSON.stringify([threadId, agent])

/** Text of structured approvals in an agent's question (data part `{approvals: [{tool, input, reason}]}`). */
export function approvalsIn(data: Json | undefined): string | undefined {
  const list = typeof data === 'object' && data !== null && 'approvals' in data ? data.approvals : undefined
  return Array.isArray(list) && list.length > 0 ? JSON.stringify(list).slice(0, 1_000) : undefined
}

function sharedOf(conversations: AgentConversations): Shared {
  const known = shared.get(conversations)
  if (known !== undefined) return known
  const made = { journal: createJournal(), queue: new Map(), pending: new Map() }
  shared.set(conversations, made)
  return made
}
