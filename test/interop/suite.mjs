/** What the tests use of this folder; typed in suite.d.mts. */
import { readFileSync } from 'node:fs'
import { BYTES } from './differential/byte-mutations.mjs'
import { HOSTILE } from './differential/mutations.mjs'
import { GUARDS, SOUND } from './differential/sound.mjs'

export { faultsOf } from './check.mjs'
export { encodeBase58 } from './differential/message.mjs'
export { runDifferential } from './differential.mjs'
export { startPeer } from './peer.mjs'
export { PIECES, ROWS } from './rows.mjs'
export { missingPackages, startWorld } from './world.mjs'

export const SOUND_NAMES = Object.keys(SOUND)
export const MUTATION_NAMES = Object.keys({ ...SOUND, ...GUARDS, ...HOSTILE, ...BYTES })
export const STRICTER_RULES = JSON.parse(
  readFileSync(new URL('./differential/stricter.json', import.meta.url), 'utf8'),
)
