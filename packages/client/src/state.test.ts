import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytes, paths, stateWorld, text } from '../test/state-world.js'
import { client, relay } from '../test/world.js'
import { localSigner } from './signer.js'
import { openState, type StateEntry } from './state.js'

describe('values', () => {
  test('a value is there once put, replaced by the next, and gone when deleted', async () => {
    const { state } = await stateWorld()
    expect(await state.get(['a'])).toBeUndefined()
    await state.put(['a'], bytes('one'))
    const one = await state.get(['a'])
    expect({ ...one, value: await text(one) }).toMatchObject({ path: ['a'], bytes: 3, value: 'one' })
    await state.put(['a'], bytes('two'))
    const two = await state.get(['a'])
    expect(await text(two)).toBe('two')
    expect(two!.at > one!.at).toBe(true)
    expect(await state.delete(['a'])).toBe(true)
    expect(await state.get(['a'])).toBeUndefined()
    expect(await state.delete(['a'])).toBe(false)
    await state.put(['a'], bytes('three'))
    expect(await text(await state.get(['a']))).toBe('three')
  })

  test('an empty value, and paths that are alike, are kept apart', async () => {
    const { state } = await stateWorld()
    const alike = [['a', 'b'], ['a/b'], ['ab'], ['a', '', 'b'], ['__proto__'], ['a', 'b', ''], ['ä😀']]
    await Promise.all(alike.map((path, at) => state.put(path, new Uint8Array(at))))
    const entries = await state.getAll(alike)
    expect(entries.map((entry) => entry?.bytes)).toEqual(alike.map((_, at) => at))
    expect(entries.map((entry) => entry?.path)).toEqual(alike)
  })

  test('list gives what is below a path, newest first', async () => {
    const { state } = await stateWorld()
    for (const path of [['a', '1'], ['b'], ['a', '2', 'x'], ['ab', '3'], ['a']])
      await state.put(path, bytes('x'))
    await state.delete(['b'])
    const found: string[] = []
    for await (const { path } of state.list(['a'])) found.push(path.join('/'))
    expect(found).toEqual(['a/2/x', 'a/1'])
    expect(await paths(state)).toEqual(['a', 'a/1', 'a/2/x', 'ab/3'])
  })

  test('list pages through entries of one time without losing any', async () => {
    const { state } = await stateWorld()
    const names = Array.from({ length: 23 }, (_, index) => String(index).padStart(2, '0'))
    await Promise.all(names.map((name) => state.put(['p', name], bytes(name), { once: true, at: 5n })))
    const found: string[] = []
    for await (const { path } of state.list(['p'], { page: 4 })) found.push(path[1]!)
    expect(found.sort()).toEqual(names)
    expect(await state.clear(['p'])).toBe(23)
    expect(await paths(state)).toEqual([])
  })

  test('states of other spaces and other owners are apart', async () => {
    const { state, client: alice, signer, url } = await stateWorld()
    await state.put(['a'], bytes('mine'))
    expect(await openState(alice, { signer, space: 'other' }).get(['a'])).toBeUndefined()
    const bob = localSigner()
    const theirs = openState(await client(url, { signer: bob }), { signer: bob })
    expect(await theirs.get(['a'])).toBeUndefined()
    expect(await paths(theirs)).toEqual([])
  })

  test('agrees with a map, whichever of two processes writes', { timeout: 60_000 }, async () => {
    const { signer, url, state } = await stateWorld({ chunkBytes: 40 })
    const other = openState(await client(url, { signer }), { signer, chunkBytes: 40 })
    const path = fc.array(fc.constantFrom('a', 'b', ''), { minLength: 1, maxLength: 3 })
    const step = fc.record({
      path,
      second: fc.boolean(),
      length: fc.option(fc.integer({ min: 0, max: 120 })),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await state.clear([])
        const model = new Map<string, number>()
        for (const { path, second, length } of steps) {
          const [writer, reader] = second ? [other, state] : [state, other]
          const key = JSON.stringify(path)
          if (length === null) expect(await writer.delete(path)).toBe(model.delete(key))
          else {
            await writer.put(path, new Uint8Array(length).fill(length))
            model.set(key, length)
          }
          const value = await (await reader.get(path))?.read()
          expect(value).toEqual(length === null ? undefined : new Uint8Array(length).fill(length))
        }
        const listed = new Map<string, number>()
        for await (const entry of other.list([])) listed.set(JSON.stringify(entry.path), entry.bytes)
        expect([...listed].sort()).toEqual([...model].sort())
      }),
      { numRuns: 15 },
    )
  })
})

describe('the newest write', () => {
  test('wins though the clock stands still', async () => {
    const { url } = await relay()
    const signer = localSigner()
    const now = () => 1_700_000_000_000
    const [one, two] = [await client(url, { signer }), await client(url, { signer })]
    const states = [openState(one, { signer, now }), openState(two, { signer, now })]
    for (let n = 0; n < 10; n++) await states[n % 2]!.put(['a'], bytes(String(n)))
    expect(await text(await states[0]!.get(['a']))).toBe('9')
  })

  test('wins though its process is an hour behind', async () => {
    const { signer, client: alice, state } = await stateWorld()
    const behind = openState(alice, { signer, now: () => Date.now() - 3_600_000 })
    await state.put(['a'], bytes('first'))
    await behind.put(['a'], bytes('second'))
    expect(await text(await state.get(['a']))).toBe('second')
    await behind.put(['a'], bytes('third'), { once: true })
    expect(await text(await state.get(['a']))).toBe('third')
    expect(await behind.delete(['a'])).toBe(true)
    expect(await state.get(['a'])).toBeUndefined()
  })

  test('is the last call when many are made at once', async () => {
    const { state } = await stateWorld({ chunkBytes: 10 })
    await Promise.all(Array.from({ length: 20 }, (_, n) => state.put(['a'], bytes(`value number ${n}`))))
    expect(await text(await state.get(['a']))).toBe('value number 19')
  })

  test('of update sees what is there: no increment of one process is lost', async () => {
    const { state } = await stateWorld()
    const count = async (value: Uint8Array | undefined) =>
      bytes(String(Number(await text(entryOf(value))) + 1))
    await state.put(['n'], bytes('0'))
    await Promise.all(Array.from({ length: 25 }, () => state.update(['n'], count)))
    expect(await text(await state.get(['n']))).toBe('25')
    await state.update(['n'], () => undefined)
    expect(await text(await state.get(['n']))).toBe('25')
    await state.update(['n'], () => null)
    expect(await state.get(['n'])).toBeUndefined()
  })

  test('every entry is listed while others are rewriting them all', { timeout: 60_000 }, async () => {
    const { state, signer, url } = await stateWorld()
    const other = openState(await client(url, { signer }), { signer })
    const paths = Array.from({ length: 150 }, (_, n) => ['x', String(n)])
    const rewrite = () => Promise.all(paths.map((path) => other.put(path, bytes('x'), { once: true })))
    await rewrite()
    let writing = true
    const writer = (async () => {
      for (let round = 0; round < 6; round++) await rewrite()
      writing = false
    })()
    while (writing) {
      let count = 0
      for await (const _ of state.list(['x'], { page: 20 })) count++
      expect(count).toBe(150)
    }
    await writer
  })
})

function entryOf(value: Uint8Array | undefined): StateEntry | undefined {
  if (value === undefined) return undefined
  return { path: [], at: 0n, bytes: value.length, read: async () => value }
}
