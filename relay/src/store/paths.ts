/** Where the parts of a segment store are, within its directory. */
import { join } from 'node:path'

export interface Paths {
  readonly index: string
  readonly segments: string
  readonly graves: string
}

export function pathsIn(directory: string): Paths {
  return {
    index: join(directory, 'index'),
    segments: join(directory, 'segments'),
    graves: join(directory, 'graves'),
  }
}
