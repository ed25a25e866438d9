/** Looks at a segment store in a process of its own. Started by verify.ts. */
import { failure } from '../store/failure.js'
import { type VerifyReply, verifySegments } from './verify.js'

const [, , path = ''] = process.argv
const reply: VerifyReply = await verifySegments(path).then(
  (report) => ({ ok: true, report }),
  (error: unknown) => {
    const { code, message } = failure(path, error, 'unavailable')
    return { ok: false, code, message }
  },
)
process.send?.(reply, () => process.disconnect())
