/** Copies an index without its free pages, in a process of its own. Started by index-shrink.ts. */
import { copyCompact } from './index-shrink.js'

const [, , index = '', draft = ''] = process.argv
await copyCompact(index, draft)
