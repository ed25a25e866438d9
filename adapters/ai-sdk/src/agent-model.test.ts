/** A remote agent as a language model, in both majors, over HTTP and over a relay (spec frameworks 7.3). */
import { connectAgent, createAgent, type Execution, type Executor } from '@aetherkit/a2a'
import { connect } from '@aetherkit/client'
import { createRelay } from '@aetherkit/relay'
import * as ai6 from 'ai'
import * as ai7 from 'ai7'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type AgentModel, agentModel } from './agent-model.js'

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

async function serve(execute: (execution: Execution) => ReturnType<Executor['execute']>) {
  const agent = createAgent({
    card: {
      name: 'Remote',
      description: 'An agent',
      skills: [{ id: 'chat', name: 'Chat', description: 'Talks' }],
    },
    executor: { execute },
  })
  onTestFinished(() => agent.close())
  const { url } = await agent.listen()
  return { agent, url, model: agentModel(url, { allowPrivateNetwork: true }) }
}

/** Says what it was told. */
function echo() {
  const heard: Execution[] = []
  return {
    heard,
    execute: async (execution: Execution) => {
      heard.push(execution)
      execution.write(`heard ${execution.text}`)
      return undefined
    },
  }
}

type Said =
  | { role: 'assistant'; content: string }
  | { role: 'user'; content: string | (SaidText | SaidFile)[] }
type SaidText = { type: 'text'; text: string }
type SaidFile = { type: 'file'; data: Uint8Array; mediaType: string; filename: string }
type Asked = { prompt: string } | { messages: Said[] }
type Settings = { temperature?: number; providerOptions?: { aether: { conversationId: string } } }
type Ask = Asked & Settings & { model: AgentModel }
type Stop = { abortSignal?: AbortSignal }

const quiet = { maxRetries: 0, onError() {} }
const majors = [
  {
    major: 'ai 6',
    generate: (call: Ask) => ai6.generateText({ maxRetries: 0, ...call }),
    stream: (call: Ask & Stop) => ai6.streamText({ ...quiet, ...call }).textStream,
  },
  {
    major: 'ai 7',
    generate: (call: Ask) => ai7.generateText({ maxRetries: 0, ...call }),
    stream: (call: Ask & Stop) => ai7.streamText({ ...quiet, ...call }).textStream,
  },
]

describe.each(majors)('7.3: an agent as a model of $major', ({ generate, stream }) => {
  test('generates, with no usage that nobody knows', async () => {
    const { model } = await serve(echo().execute)
    const result = await generate({ model, prompt: 'hi' })
    expect(result.text).toBe('heard hi')
    expect(result.usage.totalTokens).toBeUndefined()
    expect(result.providerMetadata?.aether).toMatchObject({ state: 'TASK_STATE_COMPLETED' })
  })

  test('streams, before the agent has ended', async () => {
    let go = () => {}
    const wait = new Promise<void>((resolve) => {
      go = resolve
    })
    const { model } = await serve(async (execution) => {
      execution.write('one ')
      await wait
      execution.write('two')
      return undefined
    })
    const seen: string[] = []
    for await (const text of stream({ model, prompt: 'hi' })) {
      seen.push(text)
      go()
    }
    expect(seen[0]).toBe('one ')
    expect(seen.join('')).toBe('one two')
  })

  test('sends only the new turn in the context of its history, and other histories are other conversations', async () => {
    const { heard, execute } = echo()
    const { model } = await serve(execute)
    const messages: Said[] = [{ role: 'user', content: 'one' }]
    const first = await generate({ model, messages })
    messages.push({ role: 'assistant', content: first.text }, { role: 'user', content: 'two' })
    const second = await generate({ model, messages })
    await generate({ model, prompt: 'one' })
    expect(second.text).toBe('heard two')
    expect(heard.map(({ text }) => text)).toEqual(['one', 'two', 'one'])
    expect(heard[1]?.task.contextId).toBe(heard[0]?.task.contextId)
    expect(heard[2]?.task.contextId).not.toBe(heard[0]?.task.contextId)
  })

  test('providerOptions name a conversation whatever its history', async () => {
    const { heard, execute } = echo()
    const { model } = await serve(execute)
    const providerOptions = { aether: { conversationId: 'ada' } }
    for (const prompt of ['one', 'two']) await generate({ model, prompt, providerOptions })
    expect(heard[1]?.task.contextId).toBe(heard[0]?.task.contextId)
  })

  test('an unknown history is told as text, with a warning', async () => {
    const { heard, execute } = echo()
    const { model } = await serve(execute)
    const messages: Said[] = [
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'I said A' },
      { role: 'user', content: 'two' },
    ]
    const { warnings } = await generate({ model, messages })
    expect(heard[0]?.text).toMatch(/one.*I said A.*two/s)
    expect(warnings).toContainEqual(expect.objectContaining({ type: 'other' }))
  })

  test('a question of the agent is the text, with finish reason other, and the next turn answers its task', async () => {
    const { model } = await serve(async (execution) => {
      if (execution.resumed) return void execution.write(`to ${execution.text}`)
      return { state: 'input-required', message: 'Where to?' }
    })
    const messages: Said[] = [{ role: 'user', content: 'book' }]
    const asked = await generate({ model, messages })
    expect(asked.text).toBe('Where to?')
    expect(asked.finishReason).toBe('other')
    expect(asked.rawFinishReason).toBe('TASK_STATE_INPUT_REQUIRED')
    messages.push({ role: 'assistant', content: asked.text }, { role: 'user', content: 'Rome' })
    const done = await generate({ model, messages })
    expect(done.text).toBe('to Rome')
    expect(done.providerMetadata?.aether?.taskId).toBe(asked.providerMetadata?.aether?.taskId)
  })

  test('files go in and come out, links are sources', async () => {
    const { heard, execute } = echo()
    const { model } = await serve(async (execution) => {
      await execute(execution)
      execution.artifact({ parts: [{ raw: 'AAEC', mediaType: 'image/png' }, { url: 'https://a.example/b' }] })
      return undefined
    })
    const file = {
      type: 'file' as const,
      data: new Uint8Array([1, 2]),
      mediaType: 'text/csv',
      filename: 'a.csv',
    }
    const content = [{ type: 'text' as const, text: 'look' }, file]
    const result = await generate({ model, messages: [{ role: 'user', content }] })
    expect(heard[0]?.message.parts).toEqual([
      { text: 'look' },
      { raw: 'AQI=', mediaType: 'text/csv', filename: 'a.csv' },
    ])
    expect(result.files).toMatchObject([{ base64: 'AAEC', mediaType: 'image/png' }])
    expect(result.sources).toMatchObject([{ url: 'https://a.example/b' }])
  })

  test('an abort cancels the task', async () => {
    let isStopped = () => {}
    const stopped = new Promise<void>((resolve) => {
      isStopped = resolve
    })
    const stop = new AbortController()
    const { model } = await serve(({ signal, write }) => {
      write('half')
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          isStopped()
          reject(signal.reason)
        }),
      )
    })
    for await (const _ of stream({ model, prompt: 'hi', abortSignal: stop.signal })) stop.abort()
    await stopped
  })

  test('a task that fails rejects with AgentTaskError, and nothing of the agent is retried', async () => {
    const { model } = await serve(async () => ({ state: 'rejected', message: 'not today' }))
    const rejected = generate({ model, prompt: 'hi' })
    await expect(rejected).rejects.toMatchObject({ name: 'AgentTaskError', state: 'TASK_STATE_REJECTED' })
  })

  test('settings are warned of: they do not pass through', async () => {
    const { model } = await serve(echo().execute)
    const { warnings } = await generate({ model, prompt: 'hi', temperature: 0 })
    expect(warnings?.map((warning) => 'feature' in warning && warning.feature)).toEqual(['temperature'])
  })

  test('over a relay by public key, with the same result', async () => {
    const { agent } = await serve(echo().execute)
    const relay = await createRelay()
    onTestFinished(() => relay.close())
    const [host, client] = [await connect(relay.url), await connect(relay.url)]
    onTestFinished(async () => void (await Promise.all([host.close(), client.close()])))
    const served = agent.serveOn(host)
    onTestFinished(() => served.close())
    await served.ready
    const remote = await connectAgent(`aether:${host.publicKey}`, { client })
    onTestFinished(() => remote.close())
    const { text } = await generate({ model: agentModel(remote), prompt: 'hi' })
    expect(text).toBe('heard hi')
  })
})
