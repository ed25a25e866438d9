/**
 * Walks dimensions of the index newest first: a k-way merge that reads a few keys of each at a time, so that a page
 * of a filter with a thousand authors costs little more than that of one.
 */
import { PLACE_LENGTH } from './index-keys.js'

/** The ordered index, as far as reading goes. */
export interface KeyReader {
  /** The first `limit` keys from `from` on and before `to`, rising. */
  keys(from: Buffer, to: Buffer, limit: number): Buffer[]
}

/** Keys a dimension is asked for at most at once. */
const MAX_CHUNK = 512

interface Lane {
  readonly prefix: number
  readonly end: Buffer
  chunk: Buffer[]
  at: number
  /** Keys asked for when `chunk` was read; fewer came when the lane ends there. */
  asked: number
}

/** Places in query order, each once; `from` and `to` are places, or what sorts among them. */
export function* scan(
  reader: KeyReader,
  dimensions: readonly Buffer[],
  from: Buffer,
  to: Buffer,
): Generator<Buffer, void, void> {
  const first = Math.max(1, Math.floor(64 / dimensions.length))
  const heap: Lane[] = []
  for (const dimension of dimensions) {
    const end = Buffer.concat([dimension, to])
    const chunk = reader.keys(Buffer.concat([dimension, from]), end, first)
    if (chunk.length > 0) push(heap, { prefix: dimension.length, end, chunk, at: 0, asked: first })
  }
  let last: Buffer | undefined
  while (heap.length > 0) {
    const lane = heap[0]!
    const place = head(lane)
    if (last === undefined || !place.equals(last)) yield place
    last = place
    if (advance(reader, lane)) sink(heap)
    else pop(heap)
  }
}

function head(lane: Lane): Buffer {
  const key = lane.chunk[lane.at]!
  return key.subarray(lane.prefix, lane.prefix + PLACE_LENGTH)
}

/** False at the end of the lane. */
function advance(reader: KeyReader, lane: Lane): boolean {
  lane.at++
  if (lane.at < lane.chunk.length) return true
  if (lane.chunk.length < lane.asked) return false
  const behind = Buffer.concat([lane.chunk[lane.at - 1]!, Buffer.of(0)])
  lane.asked = Math.min(lane.asked * 4, MAX_CHUNK)
  lane.chunk = reader.keys(behind, lane.end, lane.asked)
  lane.at = 0
  return lane.chunk.length > 0
}

const before = (a: Lane, b: Lane): boolean => Buffer.compare(head(a), head(b)) < 0

function push(heap: Lane[], lane: Lane): void {
  let at = heap.push(lane) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!before(lane, heap[parent]!)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = lane
}

function pop(heap: Lane[]): void {
  const lane = heap.pop()!
  if (heap.length === 0) return
  heap[0] = lane
  sink(heap)
}

/** Restores the order after the top of the heap has grown. */
function sink(heap: Lane[]): void {
  const lane = heap[0]!
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
    if (!before(heap[child]!, lane)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = lane
}
