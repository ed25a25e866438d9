/** AetherStore against LangGraph's InMemoryStore, on random operations. */
import { InMemoryStore, type Item, type Operation } from '@langchain/langgraph-checkpoint'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LetterEmbeddings, openStore, relay } from '../test/checkpoint.js'

/** One letter each: `InMemoryStore` takes namespaces for their joined text, so that `u` would be a prefix of `users`. */
const label = fc.constantFrom('a', 'b', 'c')
const namespace = fc.array(label, { minLength: 1, maxLength: 3 })
const key = fc.constantFrom('k', 'l', 'm')
const scalar = fc.oneof(
  fc.integer({ min: -2, max: 2 }),
  fc.constantFrom('x', 'y', '1'),
  fc.boolean(),
  fc.constant(null),
)
const value = fc.record(
  { n: scalar, s: scalar, deep: fc.record({ list: fc.array(scalar) }) },
  { requiredKeys: [] },
)
const operator = fc.constantFrom('$eq', '$ne', '$gt', '$gte', '$lt', '$lte')
const wanted = fc.oneof(
  scalar,
  fc.dictionary(operator, scalar, { maxKeys: 2 }),
  fc.array(scalar).chain((list) => fc.constantFrom({ $in: list }, { $nin: list })),
)
const filter = fc.option(fc.dictionary(fc.constantFrom('n', 's', 'missing'), wanted, { maxKeys: 2 }), {
  nil: undefined,
})
const pattern = fc.array(fc.constantFrom('a', 'b', 'c', '*'), { minLength: 1, maxLength: 2 })
const match = fc.record({ matchType: fc.constantFrom('prefix' as const, 'suffix' as const), path: pattern })
const page = { limit: fc.integer({ min: 0, max: 4 }), offset: fc.integer({ min: 0, max: 3 }) }
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ namespace, key }),
  fc.record({ namespace, key, value: fc.option(value, { freq: 4 }) }),
  fc.record({ namespace, key, value: fc.option(value, { freq: 4 }) }),
  fc.record({ namespacePrefix: fc.array(label, { maxLength: 2 }), filter, limit: fc.constant(100) }),
  fc.record({
    matchConditions: fc.option(fc.array(match, { maxLength: 2 }), { nil: undefined }),
    maxDepth: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    limit: fc.constant(100),
    offset: fc.constant(0),
  }),
)

type Found = { namespace: string[]; key: string; value: unknown }

/** Times differ, and so does the order of items of several namespaces. */
function comparable(result: unknown): unknown {
  if (Array.isArray(result)) {
    const items = result.map(comparable).map((item) => JSON.stringify(item))
    return items.sort()
  }
  if (typeof result !== 'object' || result === null || !('key' in result)) return result ?? null
  const { namespace, key, value } = result as Found
  return [namespace, key, value]
}

describe('like InMemoryStore', () => {
  test('for random operations, in batches', { timeout: 60_000 }, async () => {
    const { url } = await relay()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(operation, { maxLength: 6 }), { maxLength: 5 }), async (batches) => {
        const { store, client } = await openStore(url)
        const model = new InMemoryStore()
        for (const batch of batches) {
          // InMemoryStore goes on listing namespaces that have no items any more.
          const listing = await filled(await model.search([], { limit: 1000 }))
          const ours = await store.batch(batch)
          const theirs = await model.batch(batch)
          const names = await listing.batch(batch.filter((one) => 'matchConditions' in one))
          for (const [at, one] of batch.entries()) {
            const expected = 'matchConditions' in one ? names.shift() : theirs[at]
            expect(comparable(ours[at])).toEqual(comparable(expected))
          }
        }
        await client.close()
      }),
      { numRuns: 40 },
    )
  })

  test('for pages of one namespace, in order', { timeout: 60_000 }, async () => {
    const { url } = await relay()
    const put = fc.record({ key: fc.constantFrom(...'klmnopq'), value: fc.option(value, { freq: 5 }) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(put, { maxLength: 10 }),
        fc.record({ ...page, filter }),
        async (puts, search) => {
          const { store, client } = await openStore(url)
          const model = new InMemoryStore()
          for (const { key, value } of puts) {
            for (const one of [store, model]) {
              if (value === null) await one.delete(['a'], key)
              else await one.put(['a'], key, value)
            }
          }
          const keys = (found: Found[]) => found.map(({ key }) => key)
          expect(keys(await store.search(['a'], search))).toEqual(keys(await model.search(['a'], search)))
          await client.close()
        },
      ),
      { numRuns: 30 },
    )
  })

  test('for search by meaning', { timeout: 60_000 }, async () => {
    const { url } = await relay()
    const words = fc
      .array(fc.constantFrom('cab', 'bed', 'fig', 'jam', 'zoo'), { maxLength: 3 })
      .map((all) => all.join(' '))
    const item = fc.record({
      key: fc.constantFrom(...'klmnopq'),
      title: words,
      parts: fc.array(words, { maxLength: 3 }),
    })
    const fields = fc.constantFrom<string[]>(
      ['$'],
      ['title'],
      ['title', 'parts[*]'],
      ['parts[0]', 'parts[-1]'],
      ['missing'],
    )
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(item, { selector: (of) => of.key, maxLength: 7 }),
        fields,
        words,
        async (items, fields, query) => {
          const index = { dims: 26, embeddings: new LetterEmbeddings(), fields }
          const { store, client } = await openStore(url, { index })
          const model = new InMemoryStore({ index })
          for (const { key, ...rest } of items)
            for (const one of [store, model]) await one.put(['a'], key, rest)
          // Equally near ones come in no particular order.
          const [ours, theirs] = await Promise.all(
            [store, model].map(async (one) => {
              const found = await one.search(['a'], { query: query || 'q', limit: 100 })
              return found.map(({ score }) => (score === undefined ? score : Number(score.toFixed(5))))
            }),
          )
          expect(ours).toEqual(theirs)
          await client.close()
        },
      ),
      { numRuns: 30 },
    )
  })
})

async function filled(items: readonly Item[]): Promise<InMemoryStore> {
  const store = new InMemoryStore()
  for (const { namespace, key, value } of items) await store.put(namespace, key, value)
  return store
}
