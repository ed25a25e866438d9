/** Looks at a segment store, or at an LMDB file, in a process of its own. Started by verify.ts. */
import { failure } from '../store/failure.js'
import { isTable } from './place.js'
import { tableFault } from './side-files.js'
import { type StoreReport, type VerifyReply, verifySegments } from './verify.js'

const [, , path = ''] = process.argv
const reply: VerifyReply = await (isTable(path) ? verifyTable() : verifySegments(path)).then(
  (report) => ({ ok: true, report }),
  (error: unknown) => {
    const { code, message } = failure(path, error, 'unavailable')
    return { ok: false, code, message }
  },
)
process.send?.(reply, () => process.disconnect())

async function verifyTable(): Promise<StoreReport> {
  const what = await tableFault(path)
  return { events: 0, bytes: 0, damages: what === undefined ? [] : [{ file: path, what }] }
}
