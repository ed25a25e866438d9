import { localSigner } from '@aetherkit/client'
import { fakeModel } from '@langchain/core/testing'
import { tool } from '@langchain/core/tools'
import { getStore } from '@langchain/langgraph'
import { InvalidNamespaceError } from '@langchain/langgraph-checkpoint'
import { AIMessage, createAgent, HumanMessage } from 'langchain'
import { describe, expect, test } from 'vitest'
import { LetterEmbeddings, openStore, relay } from '../test/checkpoint.js'

describe('an item', () => {
  test('keeps its time of creation, is the same for every process, and for no other key', async () => {
    const { url } = await relay()
    const signer = localSigner()
    const [{ store: one }, { store: two }] = [
      await openStore(url, { signer }),
      await openStore(url, { signer }),
    ]
    await one.put(['users', 'ada'], 'likes', { tea: true })
    const before = await two.get(['users', 'ada'], 'likes')
    await two.put(['users', 'ada'], 'likes', { tea: false })
    const after = await one.get(['users', 'ada'], 'likes')
    expect(after).toMatchObject({ value: { tea: false }, namespace: ['users', 'ada'], key: 'likes' })
    expect(after!.createdAt).toEqual(before!.createdAt)
    expect(after!.updatedAt >= before!.updatedAt).toBe(true)
    const { store: theirs } = await openStore(url)
    expect(await theirs.get(['users', 'ada'], 'likes')).toBeNull()
    expect(await theirs.search([])).toEqual([])
    expect(await theirs.listNamespaces()).toEqual([])
  })

  test('is below its namespace and not below a longer or a similar one', async () => {
    const { store } = await openStore((await relay()).url)
    await store.put(['user'], 'a', { n: 1 })
    await store.put(['users', 'ada'], 'b', { n: 2 })
    await store.put(['users:ada'], 'b', { n: 3 })
    const found = async (prefix: string[]) => (await store.search(prefix)).map(({ value }) => value.n).sort()
    expect(await found(['user'])).toEqual([1])
    expect(await found(['users'])).toEqual([2])
    expect(await found([])).toEqual([1, 2, 3])
    expect(await store.listNamespaces({ suffix: ['ada'] })).toEqual([['users', 'ada']])
  })

  test('may be a megabyte', async () => {
    const { store } = await openStore((await relay()).url)
    await store.put(['a'], 'big', { text: 'x'.repeat(1_000_000) })
    expect((await store.get(['a'], 'big'))?.value.text).toHaveLength(1_000_000)
    expect((await store.search(['a']))[0]?.value.text).toHaveLength(1_000_000)
  })

  test('is what JSON holds, in a namespace that LangGraph allows', async () => {
    const { store } = await openStore((await relay()).url)
    await expect(store.put(['a'], 'k', { n: 1n })).rejects.toThrow(TypeError)
    await expect(store.put([], 'k', {})).rejects.toThrow(InvalidNamespaceError)
    await expect(store.put(['langgraph'], 'k', {})).rejects.toThrow(InvalidNamespaceError)
    expect(await store.get(['a'], 'k')).toBeNull()
  })
})

describe('search by meaning', () => {
  test('is refused without an index, and so is an operator that does not exist', async () => {
    const { store } = await openStore((await relay()).url)
    await expect(store.search(['a'], { query: 'tea' })).rejects.toMatchObject({ code: 'STATE_NO_INDEX' })
    await expect(store.search(['a'], { filter: { n: { $near: 1 } } })).rejects.toThrow(TypeError)
  })

  test('embeds an item once, all of a batch at once, and pages through the ranking', async () => {
    const { url } = await relay()
    const signer = localSigner()
    const embeddings = new LetterEmbeddings()
    const index = { dims: 26, embeddings, fields: ['text'] }
    const { store } = await openStore(url, { signer, index })
    const texts = ['aaa', 'aab', 'abb', 'zzz']
    await store.batch(texts.map((text) => ({ namespace: ['a'], key: text, value: { text } })))
    await store.put(['a'], 'hidden', { text: 'aaa' }, false)
    expect(embeddings.calls).toBe(1)
    const other = (await openStore(url, { signer, index })).store
    const found = await other.search(['a'], { query: 'aaaa', limit: 3, offset: 1 })
    expect(found.map(({ key }) => key)).toEqual(['aab', 'abb', 'zzz'])
    expect(
      (await other.search(['a'], { query: 'a', offset: 4 })).map(({ key, score }) => [key, score]),
    ).toEqual([['hidden', undefined]])
    expect(embeddings.calls).toBe(1)
  })

  test('refuses vectors of another length', async () => {
    const index = { dims: 5, embeddings: new LetterEmbeddings() }
    const { store } = await openStore((await relay()).url, { index })
    await expect(store.put(['a'], 'k', { text: 'x' })).rejects.toThrow(RangeError)
    expect(await store.get(['a'], 'k')).toBeNull()
  })
})

test('an agent remembers from one thread to another', async () => {
  const { url } = await relay()
  const signer = localSigner()
  const remember = tool(
    async () => {
      await getStore()?.put(['memories'], 'name', { name: 'Ada' })
      return 'noted'
    },
    { name: 'remember', description: 'remembers', schema: { type: 'object', properties: {} } },
  )
  const recall = tool(async () => String((await getStore()?.get(['memories'], 'name'))?.value.name), {
    name: 'recall',
    description: 'recalls',
    schema: { type: 'object', properties: {} },
  })
  const run = async (name: string) => {
    const { store } = await openStore(url, { signer })
    const model = fakeModel()
      .respondWithTools([{ id: '1', name, args: {} }])
      .respond((messages) => new AIMessage(`${messages.at(-1)?.text}`))
    const agent = createAgent({ model, tools: [remember, recall], store })
    const { messages } = await agent.invoke({ messages: [new HumanMessage('go')] })
    return messages.at(-1)?.text
  }
  expect(await run('remember')).toBe('noted')
  expect(await run('recall')).toBe('Ada')
})
