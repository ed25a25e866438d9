/** Follows the log of a segment store and indexes it, in large transactions. Started by index-thread.ts. */
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { failure, refusalToGrow, writeFailure } from './failure.js'
import type { IndexReply, IndexRequest, IndexWork } from './index-thread.js'
import { LogIndex } from './log-index.js'
import type { LogPosition } from './log-record.js'
import { SegmentReader } from './segment-reader.js'

const work: IndexWork = workerData
const index = new LogIndex(work.index)
const log = new SegmentReader(work.segments, work.seed)
const file = join(work.index, 'data.mdb')
let full = false

parentPort?.on('message', (request: IndexRequest) => {
  if (request === 'close') void end()
  else parentPort?.postMessage(indexUpTo(request))
})

function indexUpTo(to: LogPosition): IndexReply {
  try {
    // A disk that was full: look before trying again.
    const refusal = full ? refusalToGrow(file) : undefined
    if (refusal !== undefined) throw failure(work.path, refusal, 'unavailable')
    full = false
    const from = index.watermark
    for (const segment of log.list()) {
      if (segment < from.segment || segment > to.segment) continue
      const start = segment === from.segment ? from.offset : 0
      const end = segment === to.segment ? to.offset : log.size(segment)
      if (end > start) index.apply(segment, log.range(segment, start, end), { segment, offset: end }, log)
    }
    return { ok: true }
  } catch (error) {
    const { code, message } = writeFailure(work.path, file, error)
    full = code === 'storage_full'
    return { ok: false, code, message }
  } finally {
    // A segment that is removed meanwhile must not be kept alive from here.
    log.forgetAll()
  }
}

async function end(): Promise<void> {
  await index.close()
  parentPort?.close()
}
