/**
 * `ChatTransport` of `useChat` in `ai` 6 and 7, over a relay (chat-wire.ts has the law): the chat goes on after a reload,
 * from what is stored. Works in a browser.
 */
import { getNote, type JsonRecord, type LogReader, readLog } from '@aetherkit/client'
import { ChatCalls, lookout } from './chat-calls.js'
import { draftOf } from './chat-draft.js'
import type { AetherChatOptions, SendOptions } from './chat-options.js'
import { CHAT, type ChatHead, headName, readHead, runName } from './chat-wire.js'
import { chunkStream, onAbort, orAbort } from './chunk-stream.js'
import type { UiChunk, UiMessage } from './ui-chunk.js'

/** A new resume aborts the one before it: only an abort that none follows is the user's. */
const STOP_MS = 300

export class AetherChatTransport {
  /** A resumed answer comes whole, from its beginning. */
  readonly resumeStreamIsReplay = true
  readonly #options: AetherChatOptions
  readonly #calls: ChatCalls
  /** What `history` gave last, so that an answer that ends meanwhile is not missed. */
  readonly #shown = new Map<string, ChatHead>()
  readonly #resumes = new Map<string, number>()

  constructor(options: AetherChatOptions) {
    this.#options = options
    this.#calls = new ChatCalls(options.client, options.agent)
  }

  /** The finished messages of a chat, for `useChat({ messages })` after a reload; `resume` brings the one being written. */
  async history(chatId: string): Promise<UiMessage[]> {
    const head = await this.#head(chatId)
    if (head === undefined) return []
    this.#shown.set(chatId, head)
    return JSON.parse(JSON.stringify(head.messages))
  }

  /** Only what is new is sent: the agent has the conversation. An abort cancels its task. */
  async sendMessages({
    chatId,
    messages,
    messageId,
    abortSignal,
  }: SendOptions): Promise<ReadableStream<UiChunk>> {
    const { client, agent, timeoutMs = 30_000 } = this.#options
    const said = draftOf(messages, messageId)
    const taskId = said.isAnswer ? (await this.#head(chatId))?.taskId : undefined
    const id = crypto.randomUUID()
    const message: JsonRecord = {
      messageId: id,
      role: 'ROLE_USER',
      contextId: chatId,
      ...(taskId !== undefined && { taskId }),
      parts: JSON.parse(JSON.stringify(said.parts)),
      metadata: { [CHAT]: { message: said.userId, reply: said.reply } },
    }
    const stop = new AbortController()
    const task: { id?: string } = taskId === undefined ? {} : { id: taskId }
    const log = readLog(client, { writer: agent, name: runName(id), ...this.#watch(task, stop.signal) })
    const sent = this.#calls.send(message, { timeoutMs })
    // Also when it was stopped before the agent said which task it is.
    const cancel = () => void sent.then((begun) => this.#cancel(begun.id)).catch(() => {})
    onAbort(abortSignal, cancel)
    try {
      task.id = (await orAbort(sent, abortSignal)).id
    } catch (error) {
      stop.abort(error)
      throw error
    }
    return chunkStream([log], () => stop.abort())
  }

  /** The answer that is being written, or null. After `history` also one that ended since. */
  async reconnectToStream({
    chatId,
    abortSignal,
  }: Pick<SendOptions, 'chatId' | 'abortSignal'>): Promise<ReadableStream<UiChunk> | null> {
    const resume = (this.#resumes.get(chatId) ?? 0) + 1
    this.#resumes.set(chatId, resume)
    const shown = this.#shown.get(chatId)
    const head = await this.#head(chatId)
    this.#shown.delete(chatId)
    const isMissed = shown !== undefined && (shown.open || shown.runs.at(-1) !== head?.runs.at(-1))
    if (head === undefined || !(head.open || isMissed)) return null
    const stop = new AbortController()
    const watch = this.#watch({ id: head.taskId }, stop.signal)
    const { client, agent } = this.#options
    const logs = head.runs.map(
      (run): LogReader => readLog(client, { writer: agent, name: runName(run), ...watch }),
    )
    onAbort(abortSignal, () => {
      setTimeout(() => this.#resumes.get(chatId) === resume && this.#cancel(head.taskId), STOP_MS)
    })
    return chunkStream(logs, () => stop.abort())
  }

  async #head(chatId: string): Promise<ChatHead | undefined> {
    const { client, agent } = this.#options
    return readHead(await getNote(client, { writer: agent, name: headName(chatId) }))
  }

  #watch(task: { readonly id?: string }, signal: AbortSignal) {
    const { quietMs = 10_000 } = this.#options
    return { signal, quietMs, quiet: lookout(this.#calls, task, { signal, timeoutMs: quietMs }) }
  }

  #cancel(taskId: string | undefined): void {
    // It may have ended by itself.
    if (taskId !== undefined) this.#calls.cancel(taskId).catch(() => {})
  }
}
