/** The parts of `LanguageModelV3` that are used here: structural, so that neither major of `ai` is imported. */

export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: string | readonly PromptPart[]
}
export interface PromptPart {
  readonly type: string
  readonly text?: string
  readonly data?: unknown
  readonly mediaType?: string
  readonly filename?: string
}

export interface ModelCall {
  readonly prompt: readonly PromptMessage[]
  readonly abortSignal?: AbortSignal | undefined
  readonly providerOptions?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined
  readonly tools?: readonly unknown[] | undefined
  readonly toolChoice?: unknown
  readonly responseFormat?: { readonly type: string } | undefined
  readonly [setting: string]: unknown
}

export type Warning =
  | { type: 'unsupported'; feature: string; details?: string }
  | { type: 'other'; message: string }

/** Nothing is known of what the agent used. */
export const NO_USAGE = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
}

export interface Finish {
  finishReason: { unified: 'stop' | 'other'; raw: string | undefined }
  usage: typeof NO_USAGE
  providerMetadata: { aether: Record<string, string> }
}

export type ModelContent =
  | { type: 'text'; text: string }
  | { type: 'file'; mediaType: string; data: string }
  | { type: 'source'; sourceType: 'url'; id: string; url: string }

export type ModelChunk =
  | { type: 'stream-start'; warnings: Warning[] }
  | { type: 'text-start' | 'text-end'; id: string }
  | { type: 'text-delta'; id: string; delta: string }
  | Exclude<ModelContent, { type: 'text' }>
  | ({ type: 'finish' } & Finish)
  | { type: 'error'; error: unknown }

/** Its words are the agent's: not to be trusted. */
export const taskError = (state: string, words: string): Error =>
  Object.assign(new Error(`the task of the agent ended as ${state}: ${words}`), {
    name: 'AgentTaskError',
    state,
  })
