import { expect, test } from 'vitest'
import { coalesce } from './coalesce.js'
import { type Frame, isPiece, type Piece, readFrame } from './frame.js'
import { Assembler, cutFrame, DEFAULT_PIECES } from './pieces.js'
import { SeenEvents } from './seen.js'

const LIMITS = {
  ...DEFAULT_PIECES,
  pieceBytes: 1_000,
  maxBytes: 10_000,
  maxAuthorBytes: 12_000,
  maxSets: 2,
  keepMs: 100,
}
const frame = (text: string): Frame => ({
  kind: 'response',
  id: 'call',
  from: 'ab'.repeat(32),
  to: 'cd'.repeat(32),
  params: {},
  body: { text },
})
const piecesOf = (text: string, limits = LIMITS): Piece[] =>
  (cutFrame(frame(text), limits) ?? []).map((plain) => {
    const read = readFrame(plain)
    if (read === undefined || !isPiece(read)) throw new Error('no piece')
    return read
  })
const long = 'ä€😀'.repeat(400)

test('5: a short frame goes whole, a long one in pieces that each fit, one beyond the cap not at all', () => {
  expect(cutFrame(frame('short'), LIMITS)?.length).toBe(1)
  const plains = cutFrame(frame(long), LIMITS) ?? []
  expect(plains.length).toBeGreaterThan(3)
  for (const plain of plains) expect(plain.length).toBeLessThanOrEqual(1_000)
  expect(cutFrame(frame('x'.repeat(10_000)), LIMITS)).toBeUndefined()
})

test('5: pieces in any order, and twice, make the frame', () => {
  const assembler = new Assembler(LIMITS)
  const pieces = piecesOf(long).reverse()
  const made = [...pieces.slice(0, 2), ...pieces].flatMap((piece) => assembler.add('a', piece, 0) ?? [])
  expect(made).toEqual([frame(long)])
})

test('5: pieces of two sendings, or of two authors, are not mixed', () => {
  const assembler = new Assembler(LIMITS)
  const [one, two] = [piecesOf(long), piecesOf(long)]
  const mixed = one.map((piece, at) => (at % 2 === 0 ? piece : two[at]!))
  expect(mixed.flatMap((piece) => assembler.add('a', piece, 0) ?? [])).toEqual([])
  const other = new Assembler(LIMITS)
  expect(one.flatMap((piece, at) => other.add(at % 2 === 0 ? 'a' : 'b', piece, 0) ?? [])).toEqual([])
})

test('5: what an author leaves unfinished is bounded in number, bytes and time', () => {
  const assembler = new Assembler(LIMITS)
  const first = () => piecesOf(long)[0]!
  assembler.add('a', first(), 0)
  assembler.add('a', first(), 0)
  const third = piecesOf(long)
  expect(third.flatMap((piece) => assembler.add('a', piece, 50) ?? [])).toEqual([])
  expect(piecesOf(long).flatMap((piece) => assembler.add('b', piece, 50) ?? []).length).toBe(1)
  expect(third.flatMap((piece) => assembler.add('a', piece, 200) ?? []).length).toBe(1)
})

test.each([[{ total: 1 }], [{ total: 1_000_000 }]])('5: a piece that claims %j is nothing', (change) => {
  const assembler = new Assembler(LIMITS)
  const [piece] = piecesOf(long)
  expect(assembler.add('a', { ...piece!, part: 0, ...change }, 0)).toBeUndefined()
})

test.each([
  ['no JSON', 'x'],
  ['no version', '{"kind":"ack","id":"a","from":"a","to":"b"}'],
  ['another kind', '{"v":1,"kind":"hello","id":"a","from":"a","to":"b"}'],
  ['no id', '{"v":1,"kind":"ack","from":"a","to":"b"}'],
  ['a number of a frame below zero', '{"v":1,"kind":"ack","id":"a","seq":-1,"from":"a","to":"b"}'],
  ['a body that is text', '{"v":1,"kind":"request","id":"a","from":"a","to":"b","body":"x"}'],
  [
    'a part behind the last',
    '{"v":1,"kind":"part","set":"a","part":2,"total":2,"from":"a","to":"b","data":""}',
  ],
])('5: %s is no frame', (_name, text) => {
  expect(readFrame(new TextEncoder().encode(text))).toBeUndefined()
})

test('5: parameters that are not known, or no text, are left out', () => {
  const params = { 'a2a-version': '1.0', deadline: 7, other: 'x' }
  const read = readFrame(new TextEncoder().encode(JSON.stringify({ v: 1, ...frame('x'), params })))
  expect(read).toMatchObject({ params: { 'a2a-version': '1.0' } })
  expect(read).not.toHaveProperty('params.other')
})

const chunk = (text: string, more: object = {}, artifact: object = {}) => ({
  jsonrpc: '2.0',
  id: 1,
  result: {
    artifactUpdate: {
      taskId: 't',
      contextId: 'c',
      append: true,
      ...more,
      artifact: { artifactId: 'a', parts: [{ text }], ...artifact },
    },
  },
})

test('5: text that is appended to one artifact is one event', () => {
  expect(coalesce(chunk('a', { append: false }, { name: 'n' }), chunk('b', { lastChunk: true }))).toEqual(
    chunk('ab', { append: false, lastChunk: true }, { name: 'n' }),
  )
  const legacy = (text: string, append: boolean) => ({
    jsonrpc: '2.0',
    id: 1,
    result: {
      kind: 'artifact-update',
      taskId: 't',
      contextId: 'c',
      append,
      artifact: { artifactId: 'a', parts: [{ kind: 'text', text }] },
    },
  })
  expect(coalesce(legacy('a', false), legacy('b', true))).toEqual(legacy('ab', false))
})

test.each([
  ['another artifact', chunk('b', {}, { artifactId: 'b' })],
  ['another task', chunk('b', { taskId: 'u' })],
  ['a replacement', chunk('b', { append: false })],
  ['metadata', chunk('b', { metadata: { seq: 2 } })],
  ['data', chunk('b', {}, { parts: [{ data: 1 }] })],
  ['two parts', chunk('b', {}, { parts: [{ text: 'b' }, { text: 'c' }] })],
  ['a status', { jsonrpc: '2.0', id: 1, result: { statusUpdate: {} } }],
  ['an error', { jsonrpc: '2.0', id: 1, error: {} }],
])('5: %s is an event of its own', (_name, second) => {
  expect(coalesce(chunk('a'), second)).toBeUndefined()
})

test('5: nothing comes behind the last chunk', () => {
  expect(coalesce(chunk('a', { lastChunk: true }), chunk('b'))).toBeUndefined()
})

test('3.3: an event is taken once; full, no fresh one is let go for another', () => {
  const seen = new SeenEvents({ max: 2, keepMs: 100 })
  const take = (id: string, now: number, author = 'A') => seen.take(id, author, now)
  expect([take('a', 0), take('a', 1), take('b', 1), take('c', 50)]).toEqual([true, false, true, false])
  expect([take('c', 101), take('b', 102)]).toEqual([true, true])
  const fair = new SeenEvents({ maxPerAuthor: 1 })
  expect([fair.take('a', 'A', 0), fair.take('b', 'A', 0), fair.take('b', 'B', 0)]).toEqual([
    true,
    false,
    true,
  ])
})
