/** `useChat` over a relay: an entry point of its own, for browsers. */

export type { AetherChatOptions } from './chat-options.js'
export { AetherChatTransport } from './chat-transport.js'
export type { ChatHead, ChatNote } from './chat-wire.js'
export { CHAT, CHAT_ACTION } from './chat-wire.js'
export type { UiChunk, UiMessage } from './ui-chunk.js'
