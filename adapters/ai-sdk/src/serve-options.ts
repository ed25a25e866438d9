/** What `serveAgent` takes. */
import type { AgentOptions } from '@aetherkit/a2a'
import type { Client, ClientOptions } from '@aetherkit/client'
import type { ChatOptions } from './chat-server.js'
import type { AiSdkExecutorOptions } from './executor.js'

export interface ServeA2A extends Omit<AgentOptions, 'executor' | 'card'> {
  /** Skills are made from the agent's tools unless given. */
  readonly card: Omit<AgentOptions['card'], 'skills'> & Partial<Pick<AgentOptions['card'], 'skills'>>
  /** Listens here, 0 for any; without it mount `agent.listener` yourself. */
  readonly port?: number
  /** `127.0.0.1` unless given. */
  readonly host?: string
}

export interface ServeAether extends Pick<ClientOptions, 'noise' | 'relayKeys' | 'onError'> {
  /** One that is connected, whose key is the agent's; it stays open after `close`. */
  readonly client?: Client
  /** Otherwise: where the agent is, and its Ed25519 seed of 32 bytes; that of `a2a.key` unless given. */
  readonly relays?: string | readonly string[]
  readonly key?: Uint8Array
  /** How long chats of `useChat` are kept; false serves none. */
  readonly chat?: false | ChatOptions
  /** Says at the relays what the agent offers, one capability a skill; true unless given. */
  readonly advertise?: boolean
}

export interface ServeOptions extends Omit<AiSdkExecutorOptions, 'observe' | 'recall'> {
  readonly a2a: ServeA2A
  readonly aether?: ServeAether
}
