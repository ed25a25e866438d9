import { expect, test } from 'vitest'
import { splitLines } from './input.js'

async function lines(...chunks: string[]): Promise<[string | undefined, number][]> {
  async function* bytes() {
    for (const chunk of chunks) yield Buffer.from(chunk)
  }
  const all: [string | undefined, number][] = []
  for await (const { text, end } of splitLines(bytes())) all.push([text, end])
  return all
}

test('lines are the same however the bytes are cut, and know where they end', async () => {
  const wanted = [
    ['a', 2],
    ['', 3],
    ['bü', 7],
    ['c', 8],
  ]
  expect(await lines('a\n\nbü\nc')).toEqual(wanted)
  expect(await lines('a', '\n', '\nb', 'ü\n', '', 'c')).toEqual(wanted)
  expect(await lines()).toEqual([])
  expect(await lines('\n')).toEqual([['', 1]])
})

test('a line that is longer than any event is passed over, and its bytes are not kept', async () => {
  const long = 'x'.repeat(1 << 20)
  expect(await lines('a\n', long, long, long, long, long, '\nb\n')).toEqual([
    ['a', 2],
    [undefined, 5 * (1 << 20) + 3],
    ['b', 5 * (1 << 20) + 5],
  ])
})
