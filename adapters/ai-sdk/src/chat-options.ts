/** What `AetherChatTransport` is made with, and what `useChat` gives it. */
import type { Client } from '@aetherkit/client'
import type { UiMessage } from './ui-chunk.js'

export interface AetherChatOptions {
  /** Connected to relays of the agent; its key is the user: the same key after a reload. */
  readonly client: Client
  /** The agent's public key, hex. */
  readonly agent: string
  /** How long the agent may take to accept a message, ms; 30 000 by default. */
  readonly timeoutMs?: number
  /** How long an answer may be silent until the agent is asked what became of it, ms; 10 000 by default. */
  readonly quietMs?: number
}

export interface SendOptions {
  readonly chatId: string
  readonly messages: readonly UiMessage[]
  readonly messageId?: string | undefined
  readonly abortSignal?: AbortSignal | undefined
}
