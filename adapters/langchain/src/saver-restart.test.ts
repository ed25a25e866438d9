import { spawn } from 'node:child_process'
import { createConnection, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { localSigner } from '@aetherkit/client'
import { createRelay, openLmdbStore } from '@aetherkit/relay'
import { fakeModel } from '@langchain/core/testing'
import { Annotation, START, StateGraph } from '@langchain/langgraph'
import { AIMessage, createAgent, HumanMessage } from 'langchain'
import { describe, expect, onTestFinished, test } from 'vitest'
import { folder, openSaver, relay } from '../test/checkpoint.js'
import type { AetherSaver } from './checkpoint.js'

const MAIN = fileURLToPath(new URL('../../../relay/dist/main.js', import.meta.url))

/** The relay in a process of its own, to be killed. */
async function relayProcess(path: string): Promise<{ port: number; kill(): Promise<void> }> {
  const flags = ['--ws-port', '0', '--storage-path', path]
  const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const kill = () => {
    child.kill('SIGKILL')
    return gone
  }
  onTestFinished(kill)
  const url = await new Promise<string>((resolve, reject) => {
    let out = ''
    child.stdout.on('data', (chunk) => {
      out += chunk
      const found = /"url":"(ws:[^"]+)"/.exec(out)?.[1]
      if (found !== undefined) resolve(found)
    })
    void gone.then(() => reject(new Error('the relay ended before it listened')))
  })
  return { port: Number(new URL(url).port), kill }
}

/** An address that stays while the relay behind it comes and goes. */
async function address(): Promise<{ url: string; to: number }> {
  const server = createServer((client) => {
    const relay = createConnection(forward.to, '127.0.0.1')
    client.on('error', () => relay.destroy()).on('close', () => relay.destroy())
    relay.on('error', () => client.destroy()).on('close', () => client.destroy())
    client.pipe(relay).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const listening = server.address()
  const forward = { url: `ws://127.0.0.1:${typeof listening === 'object' ? listening?.port : ''}`, to: 0 }
  return forward
}

/** Remembers what it is told, and tells how much that is. */
const agentWith = (checkpointer: AetherSaver) =>
  createAgent({
    model: fakeModel().respond((messages) => new AIMessage(`I know ${messages.length} messages`)),
    tools: [],
    checkpointer,
  })

const say = (text: string) => ({ messages: [new HumanMessage(text)] })

describe('a conversation', () => {
  test('goes on after the agent and the relay were restarted', async () => {
    const path = folder()
    const signer = localSigner()
    const config = { configurable: { thread_id: 'conversation' } }
    const first = await createRelay({ port: 0, store: openLmdbStore(path), verifyWorkers: 1 })
    const one = await openSaver(first.url, signer)
    await agentWith(one.saver).invoke(say('my name is Ada'), config)
    await one.client.close()
    await first.close()

    const again = await relay({ store: openLmdbStore(path) })
    const two = await openSaver(again.url, signer)
    const { messages } = await agentWith(two.saver).invoke(say('who am I?'), config)
    expect(messages.map(({ text }) => text)).toEqual([
      'my name is Ada',
      'I know 1 messages',
      'who am I?',
      'I know 3 messages',
    ])
  })

  test('loses nothing that was acknowledged when the relay is killed', { timeout: 60_000 }, async () => {
    const path = folder()
    const front = await address()
    let relay = await relayProcess(path)
    front.to = relay.port
    const { saver } = await openSaver(front.url)
    const Count = Annotation.Root({ n: Annotation<number>({ reducer: (a, b) => a + b, default: () => 0 }) })
    const graph = new StateGraph(Count)
      .addNode('add', () => ({ n: 1 }))
      .addEdge(START, 'add')
      .compile({ checkpointer: saver })
    const config = { configurable: { thread_id: 'killed' } }
    for (let round = 1; round <= 4; round++) {
      const running = graph.invoke({ n: 0 }, config)
      // Half of the rounds: in the middle of the run. It waits for the relay and goes on.
      if (round % 2 === 0) await running
      await relay.kill()
      relay = await relayProcess(path)
      front.to = relay.port
      expect((await running).n).toBe(round)
      expect((await graph.getState(config)).values).toEqual({ n: round })
    }
  })

  test('may have large and binary state, byte by byte', async () => {
    const { url } = await relay()
    const signer = localSigner()
    const { saver } = await openSaver(url, signer)
    const State = Annotation.Root({
      big: Annotation<string>(),
      bytes: Annotation<Uint8Array>(),
      map: Annotation<Map<string, Set<number>>>(),
    })
    const value = {
      big: 'x'.repeat(1_000_000) + crypto.randomUUID(),
      bytes: crypto.getRandomValues(new Uint8Array(60_000)),
      map: new Map([['a', new Set([1, 2])]]),
    }
    const config = { configurable: { thread_id: 'large' } }
    const graph = (checkpointer: AetherSaver) =>
      new StateGraph(State)
        .addNode('keep', () => ({}))
        .addEdge(START, 'keep')
        .compile({ checkpointer })
    await graph(saver).invoke(value, config)
    const { values } = await graph((await openSaver(url, signer)).saver).getState(config)
    expect(values.big === value.big).toBe(true)
    expect(Buffer.from(values.bytes).equals(value.bytes)).toBe(true)
    expect(values.map).toEqual(value.map)
  })
})
