/** Follows the log of a segment store and indexes it, in large transactions; takes out what is removed. Started by index-thread.ts. */
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { failure, refusalToGrow, writeFailure } from './failure.js'
import { Graves } from './graves.js'
import type { IndexReply, IndexRequest, IndexWork } from './index-thread.js'
import { LogIndex } from './log-index.js'
import { LogIndexWriter } from './log-index-writer.js'
import type { LogPosition } from './log-record.js'
import { SegmentReader } from './segment-reader.js'
import type { Amount } from './store.js'

const work: IndexWork = workerData
const index = new LogIndex(work.index)
const log = new SegmentReader(work.segments, work.seed)
const writer = new LogIndexWriter(index, log, new Graves(work.graves, work.seed))
const file = join(work.index, 'data.mdb')
const NOTHING: Amount = { events: 0, bytes: 0 }
let full = false

parentPort?.on('message', (request: IndexRequest) => {
  if (request === 'close') void end()
  else if ('to' in request) parentPort?.postMessage(reply(() => indexUpTo(request.to), full))
  // A removal needs little room, and makes some.
  else parentPort?.postMessage(reply(() => writer.remove(request.removal, request.limit), false))
})

function reply(write: () => Amount, wasFull: boolean): IndexReply {
  try {
    // A disk that was full: look before trying again.
    const refusal = wasFull ? refusalToGrow(file) : undefined
    if (refusal !== undefined) throw failure(work.path, refusal, 'unavailable')
    full = false
    return { ok: true, removed: write() }
  } catch (error) {
    const { code, message } = writeFailure(work.path, file, error)
    full = code === 'storage_full'
    return { ok: false, code, message }
  } finally {
    // A segment that is removed meanwhile must not be kept alive from here.
    log.forgetAll()
  }
}

function indexUpTo(to: LogPosition): Amount {
  const segments = log.list()
  writer.tidy(new Set(segments))
  const from = index.watermark
  for (const segment of segments) {
    if (segment < from.segment || segment > to.segment) continue
    const start = segment === from.segment ? from.offset : 0
    const end = segment === to.segment ? to.offset : log.size(segment)
    if (end > start) writer.apply(segment, log.range(segment, start, end), { segment, offset: end })
  }
  return NOTHING
}

async function end(): Promise<void> {
  await index.close()
  parentPort?.close()
}
