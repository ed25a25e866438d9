/** Child of limits.mjs: one thread that does one thing as often as it can. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import path from 'node:path'
import { eventId } from '@aetherkit/core'
import sodium from 'sodium-native'
import { makeEvents, makeKeys } from './events.mjs'
import { answer } from './load-child.mjs'

const CONTENT_BYTES = 400

function material() {
  const events = makeEvents({ count: 512, keys: makeKeys(512), kind: 1, contentBytes: CONTENT_BYTES })
  return events.map((event) => ({
    event,
    id: Buffer.from(event.id, 'hex'),
    sig: Buffer.from(event.sig, 'hex'),
    key: Buffer.from(event.pubkey, 'hex'),
  }))
}

/** Windows of the measurement; the best counts, since whatever disturbs it only makes it slower. */
const WINDOWS = 4

/** Calls `step(i)` for `ms` after a tenth of it as warm-up; calls per second. */
function rate(ms, step) {
  let i = 0
  for (const end = performance.now() + ms / 10; performance.now() < end; ) step(i++)
  let best = 0
  for (let window = 0; window < WINDOWS; window++) {
    const first = i
    const begun = performance.now()
    while (performance.now() - begun < ms / WINDOWS) for (let n = 0; n < 16; n++) step(i++)
    best = Math.max(best, ((i - first) * 1000) / (performance.now() - begun))
  }
  return best
}

function check(valid) {
  if (!valid) throw new Error('a good signature was refused')
}

answer({
  signatures({ ms }) {
    const claims = material()
    return rate(ms, (i) => {
      const { id, sig, key } = claims[i % claims.length]
      check(sodium.crypto_sign_verify_detached(sig, id, key))
    })
  },
  events({ ms }) {
    const claims = material()
    return rate(ms, (i) => {
      const { event, id, sig, key } = claims[i % claims.length]
      check(eventId(event) === event.id && sodium.crypto_sign_verify_detached(sig, id, key))
    })
  },
  syncs({ ms, folder }) {
    const file = openSync(path.join(folder, 'sync'), 'w')
    const block = Buffer.alloc(4096, 1)
    try {
      let count = 0
      const begun = performance.now()
      while (performance.now() - begun < ms) {
        writeSync(file, block, 0, block.length, (count++ % 1024) * block.length)
        fdatasyncSync(file)
      }
      return (count * 1000) / (performance.now() - begun)
    } finally {
      closeSync(file)
    }
  },
})
