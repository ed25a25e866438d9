/** Child of store.mjs: fills and reads the LMDB store of the relay, and bare LMDB. */
import { open } from 'lmdb'
import { answer } from './load-child.mjs'
import { queries, storedEvent } from './stored-events.mjs'

const { openLmdbStore } = await import(new URL('../../relay/dist/store/lmdb.js', import.meta.url).href)

const BATCH = 1000
const LIMIT = 500
/** As large as the record of one of the events. */
const VALUE = Buffer.alloc(560, 'v')
const BARE_EVENTS = 50_000

answer({
  async fill({ folder, bareFolder, events }) {
    const store = openLmdbStore(folder)
    const startSeq = store.lastSeq
    let took = 0
    for (let at = 0; at < events; at += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, events - at) }, (_, k) => ({
        seq: startSeq + BigInt(at + k + 1),
        event: storedEvent(at + k),
      }))
      const begun = performance.now()
      const outcomes = await store.put(batch)
      took += performance.now() - begun
      if (outcomes.some(({ status }) => status !== 'stored')) throw new Error('an event was not stored')
    }
    const putRate = (events * 1000) / took
    await store.close()
    return { putRate, bareRate: await bareFill(bareFolder) }
  },

  async queries({ folder, bareFolder, events, rounds }) {
    const store = openLmdbStore(folder)
    const found = {}
    for (let round = 0; round < rounds; round++) {
      for (const [name, filter] of Object.entries(queries(events, round))) {
        const begun = performance.now()
        const answer = store.query(filter, { limit: LIMIT })
        const took = performance.now() - begun
        found[name] ??= { times: [], least: LIMIT }
        found[name].times.push(took)
        found[name].least = Math.min(found[name].least, answer.length)
      }
    }
    await store.close()
    const results = Object.entries(found).map(([name, { times, least }]) => [
      name,
      { ...summary(times), found: least },
    ])
    return { queries: Object.fromEntries(results), floor: await bareRead(bareFolder, rounds) }
  },
})

function summary(times) {
  const sorted = [...times].sort((a, b) => a - b)
  return { p50: sorted[sorted.length >> 1], worst: sorted.at(-1) }
}

function openBare(folder) {
  return open({
    path: folder,
    encoding: 'binary',
    keyEncoding: 'uint32',
    overlappingSync: false,
    noSubdir: false,
  })
}

async function bareFill(folder) {
  const db = openBare(folder)
  const begun = performance.now()
  for (let at = 0; at < BARE_EVENTS; at += BATCH)
    await db.batch(() => {
      for (let k = 0; k < BATCH; k++) db.put(at + k, VALUE)
    })
  const rate = (BARE_EVENTS * 1000) / (performance.now() - begun)
  await db.close()
  return rate
}

/** 500 records that lie side by side. */
async function bareRead(folder, rounds) {
  const db = openBare(folder)
  await db.batch(() => {
    for (let k = 0; k < 20 * LIMIT; k++) db.put(k, VALUE)
  })
  const times = []
  for (let round = -40; round < rounds; round++) {
    const begun = performance.now()
    const values = Array.from(
      db.getRange({ start: ((round + 40) % 19) * LIMIT, limit: LIMIT }),
      ({ value }) => value.length,
    )
    if (round >= 0) times.push(performance.now() - begun)
    if (values.length !== LIMIT) throw new Error('bare LMDB lost records')
  }
  await db.close()
  return { limit: summary(times).p50, limitName: 'bare LMDB, 500 records side by side' }
}
