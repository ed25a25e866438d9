import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { localSigner } from '@aetherkit/client'
import { createRelay, openLmdbStore } from '@aetherkit/relay'
import { Annotation, Command, interrupt, MemorySaver, START, StateGraph } from '@langchain/langgraph'
import { emptyCheckpoint, uuid6 } from '@langchain/langgraph-checkpoint'
import { describe, expect, test } from 'vitest'
import { folder, openSaver, relay } from '../test/checkpoint.js'
import type { AetherSaver } from './checkpoint.js'

describe('control', () => {
  const Order = Annotation.Root({
    steps: Annotation<string[]>({ reducer: (a, b) => [...a, ...b], default: () => [] }),
  })
  const graphWith = (checkpointer: AetherSaver | MemorySaver) =>
    new StateGraph(Order)
      .addNode('ask', () => ({ steps: [`asked: ${interrupt('may I?')}`] }))
      .addNode('act', () => ({ steps: ['acted'] }))
      .addEdge(START, 'ask')
      .addEdge('ask', 'act')
      .compile({ checkpointer })

  test('an interrupt waits in the relay until another process resumes it', async () => {
    const { url } = await relay()
    const signer = localSigner()
    const config = { configurable: { thread_id: 'order' } }
    const one = await openSaver(url, signer)
    const asked = await graphWith(one.saver).invoke({ steps: ['began'] }, config)
    expect(asked).toMatchObject({ __interrupt__: [{ value: 'may I?' }] })
    await one.client.close()
    const graph = graphWith((await openSaver(url, signer)).saver)
    expect((await graph.getState(config)).next).toEqual(['ask'])
    const { steps } = await graph.invoke(new Command({ resume: 'yes' }), config)
    expect(steps).toEqual(['began', 'asked: yes', 'acted'])
  })

  test('history, time travel and forks are those of MemorySaver', async () => {
    const { url } = await relay()
    const { saver } = await openSaver(url)
    const runs = await Promise.all(
      [saver, new MemorySaver()].map(async (checkpointer) => {
        const graph = graphWith(checkpointer)
        const config = { configurable: { thread_id: 'travel' } }
        await graph.invoke({ steps: ['began'] }, config)
        await graph.invoke(new Command({ resume: 'yes' }), config)
        const history = []
        for await (const { config: at, values, next, metadata } of graph.getStateHistory(config))
          history.push({ config: at, seen: { values, next, source: metadata?.source, step: metadata?.step } })
        const before = history.find(({ seen }) => seen.next[0] === 'act')!
        const replayed = await graph.invoke(null, before.config)
        const forked = await graph.updateState(before.config, { steps: ['changed'] }, 'ask')
        const continued = await graph.invoke(null, forked)
        const copied = await graph.updateState(before.config, undefined, '__copy__')
        const root = await graph.updateState(history.at(-1)!.config, undefined, '__copy__')
        const states = await Promise.all(
          [before.config, forked, copied, root].map((of) => graph.getState(of)),
        )
        const after = []
        for await (const { values } of graph.getStateHistory(config, { limit: 3 })) after.push(values)
        return {
          history: history.map(({ seen }) => seen),
          replayed,
          continued,
          states: states.map(({ values, next }) => ({ values, next })),
          after,
        }
      }),
    )
    expect(runs[0]).toEqual(runs[1])
    expect(runs[0]!.continued.steps).toEqual(['began', 'asked: yes', 'changed', 'acted'])
  })

  test('two processes work on threads at once', async () => {
    const { url } = await relay()
    const signer = localSigner()
    const graphs = [
      graphWith((await openSaver(url, signer)).saver),
      graphWith((await openSaver(url, signer)).saver),
    ]
    await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const config = { configurable: { thread_id: `thread ${n}` } }
        await graphs[n % 2]!.invoke({ steps: [`${n}`] }, config)
        const { steps } = await graphs[(n + 1) % 2]!.invoke(new Command({ resume: `${n}` }), config)
        expect(steps).toEqual([`${n}`, `asked: ${n}`, 'acted'])
      }),
    )
  })
})

describe('privacy', () => {
  test('the relay stores neither thread, namespace nor content, and no other key reads them', async () => {
    const path = folder()
    const signer = localSigner()
    const first = await createRelay({ port: 0, store: openLmdbStore(path), verifyWorkers: 1 })
    const { client, saver } = await openSaver(first.url, signer)
    const config = { configurable: { thread_id: 'thread-of-ada', checkpoint_ns: 'inner-space' } }
    const checkpoint = {
      ...emptyCheckpoint(),
      channel_values: { secret: 'content-of-ada' },
      channel_versions: { secret: 1 },
    }
    const placed = await saver.put(
      config,
      checkpoint,
      { source: 'input', step: -1, parents: {} },
      { secret: 1 },
    )
    await saver.putWrites(placed, [['secret', 'pending-of-ada']], 'task-of-ada')
    expect((await saver.getTuple(config))?.checkpoint).toEqual(checkpoint)

    const { saver: theirs } = await openSaver(first.url)
    expect(await theirs.getTuple(config)).toBeUndefined()
    expect(await theirs.getTuple(placed)).toBeUndefined()
    for await (const tuple of theirs.list({})) expect(tuple).toBeUndefined()

    // What is not sealed would be found like this.
    await client.publish({ kind: 1, content: 'canary-in-clear' })
    await client.close()
    await first.close()
    const secrets = [
      'thread-of-ada',
      'inner-space',
      'content-of-ada',
      'pending-of-ada',
      'task-of-ada',
      checkpoint.id,
    ]
    const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    )
    const raw = Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))))
    expect(raw.includes('canary-in-clear')).toBe(true)
    for (const secret of secrets) expect(raw.includes(secret), secret).toBe(false)
  })

  test('a deleted thread is gone for every process', async () => {
    const { url } = await relay()
    const signer = localSigner()
    const [one, two] = [await openSaver(url, signer), await openSaver(url, signer)]
    const thread = { configurable: { thread_id: 'x' } }
    const placed = await one.saver.put(
      thread,
      emptyCheckpoint(),
      { source: 'input', step: -1, parents: {} },
      {},
    )
    await one.saver.putWrites(placed, [['a', 1]], 'task')
    await two.saver.deleteThread('x')
    expect(await one.saver.getTuple(thread)).toBeUndefined()
    expect(await one.saver.getTuple(placed)).toBeUndefined()
    const left = await one.client.query({ authors: [signer.publicKey], limit: 100 })
    expect(left.map(({ content }) => content.length)).toEqual([0, 0])
  })
})

describe('misuse', () => {
  test('a thread id is a text', async () => {
    const { url } = await relay()
    const { saver } = await openSaver(url)
    const metadata = { source: 'input', step: -1, parents: {} } as const
    for (const thread_id of [undefined, 5, '', null]) {
      const put = saver.put({ configurable: { thread_id } }, emptyCheckpoint(), metadata, {})
      await expect(put).rejects.toThrow(TypeError)
    }
    const put = saver.putWrites({ configurable: { thread_id: 'a' } }, [['a', 1]], 'task')
    await expect(put).rejects.toThrow(TypeError)
  })

  test('names that are members of every object are names like others', async () => {
    const { url } = await relay()
    const { saver } = await openSaver(url)
    const names = ['__proto__', 'constructor', 'toString']
    const channel_values = Object.fromEntries(names.map((name) => [name, { name }]))
    const channel_versions = Object.fromEntries(names.map((name) => [name, 1]))
    const checkpoint = { ...emptyCheckpoint(), id: uuid6(0), channel_values, channel_versions }
    const config = { configurable: { thread_id: '__proto__', checkpoint_ns: 'constructor' } }
    const placed = await saver.put(
      config,
      checkpoint,
      { source: 'input', step: -1, parents: {} },
      channel_versions,
    )
    await saver.putWrites(
      placed,
      names.map((name) => [name, name]),
      'constructor',
    )
    const tuple = await saver.getTuple(config)
    expect(Object.entries(tuple!.checkpoint.channel_values)).toEqual(Object.entries(channel_values))
    expect(tuple!.pendingWrites).toEqual(names.map((name) => ['constructor', name, name]))
    expect(Object.hasOwn(Object.prototype, 'name')).toBe(false)
  })
})
