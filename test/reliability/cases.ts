/** Every case, in the order of the table. A new case is a file and a line here. */

import { bombs } from './bombs.js'
import type { Case } from './case.js'
import { clock } from './clock.js'
import { damage } from './damage.js'
import { fullDisk } from './full-disk.js'
import { idle } from './idle.js'
import { kill } from './kill.js'
import { malformed } from './malformed.js'
import { resume } from './resume.js'
import { signatures } from './signatures.js'
import { soak } from './soak.js'
import { stalled } from './stalled.js'

export const CASES: readonly Case[] = [
  kill,
  fullDisk,
  damage,
  stalled,
  resume,
  clock,
  malformed,
  bombs,
  idle,
  signatures,
  soak,
]
