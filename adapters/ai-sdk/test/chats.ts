/** What `useChat` is made of in both majors, without React. */
import * as ai6 from 'ai'
import * as ai7 from 'ai7'
import type { AetherChatTransport } from '../src/chat-transport.js'
import { majors as agents } from './agents.js'

/** What `useChat` keeps the chat in, without React. */
class State<M> {
  status: 'submitted' | 'streaming' | 'ready' | 'error' = 'ready'
  error: Error | undefined
  messages: M[]
  onChange = () => {}
  constructor(messages: M[]) {
    this.messages = messages
  }
  pushMessage = (message: M) => {
    this.messages = [...this.messages, message]
    this.onChange()
  }
  popMessage = () => {
    this.messages = this.messages.slice(0, -1)
  }
  replaceMessage = (at: number, message: M) => {
    this.messages = this.messages.map((each, n) => (n === at ? structuredClone(message) : each))
    this.onChange()
  }
  snapshot = <T>(thing: T): T => structuredClone(thing)
}

export interface Init<M> {
  readonly id: string
  readonly transport: AetherChatTransport
  readonly messages?: M[]
}
class Chat6 extends ai6.AbstractChat<ai6.UIMessage> {
  readonly held: State<ai6.UIMessage>
  constructor({ messages = [], ...init }: Init<ai6.UIMessage>) {
    const state = new State(messages)
    super({ ...init, state })
    this.held = state
  }
}
class Chat7 extends ai7.AbstractChat<ai7.UIMessage> {
  readonly held: State<ai7.UIMessage>
  constructor({ messages = [], ...init }: Init<ai7.UIMessage>) {
    const state = new State(messages)
    super({ ...init, state })
    this.held = state
  }
}

export const majors = [
  { ...agents[0], open: (init: Init<never>) => new Chat6(init) },
  { ...agents[1], open: (init: Init<never>) => new Chat7(init) },
]

export const textOf = (message: { readonly parts: readonly object[] } | undefined): string =>
  message?.parts.map((part) => ('text' in part ? part.text : '')).join('') ?? ''

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

export const localSecret = () => crypto.getRandomValues(new Uint8Array(32))
