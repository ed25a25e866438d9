/** `aether request` to an A2A agent: what the flags say, from the address to the exit code. */
import type { JsonRecord, RemoteAgent } from '@aetherkit/a2a/client'
import { agentFailure } from './agent-failure.js'
import { type MessageFlags, partsOf } from './agent-message.js'
import { cancelTask, talk } from './agent-talk.js'
import { type AgentFlags, type AgentTarget, openAgent } from './agent-target.js'
import { answerText } from './answer-text.js'
import { connectTo } from './connection.js'
import { type ExitName, usage } from './exit.js'
import type { RelayFlags } from './flags.js'
import { argumentOrInput } from './input.js'
import { findKey } from './key-file.js'
import type { Session } from './session.js'

export interface AgentCallFlags extends RelayFlags, AgentFlags, MessageFlags {
  readonly task?: string
  readonly context?: string
  readonly cancel?: boolean
  readonly save?: string
  readonly id?: string
}

/** What stands behind the agent on the command line. */
export interface Words {
  /** The text of a message; an action where `payload` follows. */
  readonly text: string | undefined
  readonly payload: string | undefined
}

const MAX_PAYLOAD = 1 << 20

/** @throws CommandError */
export async function callAgent(
  session: Session,
  target: AgentTarget,
  words: Words,
  flags: AgentCallFlags,
): Promise<ExitName> {
  // What cannot be sent needs no agent.
  const work =
    words.payload === undefined
      ? await messageOf(session, target, words, flags)
      : await actionOf(session, words, flags)
  const client = target.kind === 'key' ? await connectTo(session, flags) : undefined
  try {
    const agent = await openAgent(session, target, flags, {
      client,
      key: findKey(flags.key),
      timeoutMs: flags.timeout,
    })
    try {
      return await work(agent)
    } finally {
      await agent.close()
    }
  } finally {
    await client?.close()
  }
}

type Work = (agent: RemoteAgent) => Promise<ExitName>

async function messageOf(
  session: Session,
  target: AgentTarget,
  { text }: Words,
  flags: AgentCallFlags,
): Promise<Work> {
  const { task, context, save, cancel = false, id: messageId, timeout: timeoutMs } = flags
  if (cancel) {
    if (task === undefined || text !== undefined) throw usage('--cancel takes --task <id> and no message')
    return (agent) => cancelTask(session, agent, task, timeoutMs)
  }
  const parts = await partsOf(text, flags, session.signal, task !== undefined)
  if (parts.length === 0 && task === undefined)
    throw usage('nothing to say: give a text, --data, --file, or --task <id> to follow a task')
  return (agent) =>
    talk(session, agent, { parts, task, context, messageId, save, timeoutMs, again: againOf(target, flags) })
}

/** `agent.request`: an action with a payload, signed by the caller (spec a2a 3). */
async function actionOf(
  session: Session,
  { text: action = '', payload }: Words,
  flags: AgentCallFlags,
): Promise<Work> {
  const { data, file, task, context, cancel, save } = flags
  if ([data, file, task, context, cancel, save].some((flag) => flag !== undefined))
    throw usage('an action takes its payload and no message: quote a text of several words')
  if (findKey(flags.key) === undefined)
    throw usage(
      'an action is signed, so it needs --key <file> or AETHER_SECRET_KEY (a text of several words is quoted)',
    )
  const bytes = await argumentOrInput(payload, session.signal, MAX_PAYLOAD)
  const read = readRecord(Buffer.from(bytes ?? []).toString())
  const { timeout: timeoutMs, id } = flags
  return async (agent) => {
    try {
      const options = { signal: session.signal, timeoutMs, ...(id !== undefined && { idempotencyKey: id }) }
      const answer = await agent.request(action, read, options)
      await session.write(session.json ? `${JSON.stringify(answer)}\n` : answerText(answer))
      return 'ok'
    } catch (error) {
      throw await agentFailure(error)
    }
  }
}

function readRecord(text: string): JsonRecord {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw usage('the payload is no JSON: a text of several words is quoted')
  }
  if (!isRecord(value)) throw usage('the payload of an action is a JSON object')
  return value
}

/** The words that lead to the same agent again. */
function againOf(target: AgentTarget, { allowPrivateNetwork }: AgentCallFlags): string {
  const to = target.kind === 'url' ? quoted(target.url.href) : `aether:${target.publicKey}`
  return `aether request ${to}${allowPrivateNetwork === true ? ' --allow-private-network' : ''}`
}

function quoted(text: string): string {
  return /^[\w:/.@%+=,[\]-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
