/**
 * A remote agent as a language model of `ai` 6 and 7: one `LanguageModelV3`, for `generateText` and `streamText`. No tool
 * call passes through it, the agent has tools of its own; what it says is text, files and links.
 */
import { type AgentCard, type ConnectOptions, connectAgent, type RemoteAgent } from '@aetherkit/a2a'
import { AnswerReader } from './agent-answer.js'
import { type Draft, Places, readPrompt } from './model-prompt.js'
import type { Finish, ModelCall, ModelChunk, ModelContent, Warning } from './model-types.js'

export interface AgentModelOptions extends ConnectOptions {
  /** What `ai` calls the model; the agent's address unless given. */
  readonly modelId?: string
}

export interface AgentModel {
  readonly specificationVersion: 'v3'
  readonly provider: 'aether'
  readonly modelId: string
  readonly supportedUrls: Record<string, RegExp[]>
  doGenerate(call: ModelCall): Promise<Finish & { content: ModelContent[]; warnings: Warning[] }>
  doStream(call: ModelCall): Promise<{ stream: ReadableStream<ModelChunk> }>
}

/**
 * `target`: an agent of `connectAgent`, or what that takes: a URL, a card, `aether:<public key>` (with `client`). It is
 * connected at the first call.
 */
export function agentModel(
  target: RemoteAgent | AgentCard | string | URL,
  { modelId, ...options }: AgentModelOptions = {},
): AgentModel {
  const places = new Places()
  let connecting: Promise<RemoteAgent> | undefined
  const connected = (): Promise<RemoteAgent> => {
    if (isRemote(target)) return Promise.resolve(target)
    connecting ??= connectAgent(target, options)
    // The next call tries again.
    connecting.catch(() => {
      connecting = undefined
    })
    return connecting
  }

  async function* run(call: ModelCall, draft: Draft): AsyncGenerator<ModelChunk, void> {
    const agent = await connected()
    const signal = call.abortSignal
    const answer = new AnswerReader(draft.place)
    try {
      signal?.throwIfAborted()
      const { contextId, taskId } = draft.place ?? {}
      for await (const event of agent.stream(draft.parts, { contextId, taskId, signal }))
        yield* answer.read(event)
      const last = [...answer.end()]
      if (answer.place) places.keep(draft.after(answer.text), answer.place)
      yield* last
    } finally {
      // Its task must not run on for nobody, and may have ended by itself.
      if (signal?.aborted && answer.openTask) await agent.cancel(answer.openTask).catch(() => {})
    }
  }

  return {
    specificationVersion: 'v3',
    provider: 'aether',
    modelId: modelId ?? nameOf(target),
    // Nothing is downloaded here: the agent gets the URL.
    supportedUrls: { '*/*': [/^https?:\/\/.*$/] },
    async doGenerate(call) {
      const draft = readPrompt(call, places)
      const content: ModelContent[] = []
      let text = ''
      for await (const chunk of run(call, draft)) {
        if (chunk.type === 'text-delta') text += chunk.delta
        if (chunk.type === 'text-end') {
          content.push({ type: 'text', text })
          text = ''
        }
        if (chunk.type === 'file' || chunk.type === 'source') content.push(chunk)
        if (chunk.type === 'finish') {
          const { type: _type, ...finish } = chunk
          return { content, warnings: draft.warnings, ...finish }
        }
      }
      throw new Error('the agent ended without an answer')
    },
    async doStream(call) {
      const draft = readPrompt(call, places)
      const chunks = run(call, draft)
      return {
        stream: new ReadableStream<ModelChunk>({
          start: (controller) => controller.enqueue({ type: 'stream-start', warnings: draft.warnings }),
          async pull(controller) {
            const { done, value } = await chunks.next()
            if (done === true) controller.close()
            else controller.enqueue(value)
          },
          cancel: () => chunks.return().then(() => {}),
        }),
      }
    },
  }
}

const isRemote = (target: RemoteAgent | AgentCard | string | URL): target is RemoteAgent =>
  typeof target === 'object' && 'stream' in target

function nameOf(target: RemoteAgent | AgentCard | string | URL): string {
  if (typeof target === 'string') return target
  if (target instanceof URL) return target.href
  return isRemote(target) ? target.interface.url : (target.supportedInterfaces[0]?.url ?? target.name)
}
