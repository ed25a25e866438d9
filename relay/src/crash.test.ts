/**
 * kill -9 at random moments of a mixed publish storm (spec 2.3, 2.4): what was acknowledged is there or lawfully
 * superseded, no replaceable key is empty, no seq is handed out twice.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  createClock,
  type Event,
  generateSecretKey,
  isParameterized,
  isReplaceable,
  replaceKey,
  signEvent,
  supersedes,
  writeMessage,
} from '@aetherkit/core'
import { seededRandom } from '@aetherkit/core/testing'
import { openLmdbStore } from '@aetherkit/relay'
import { expect, test } from 'vitest'
import { RawPeer } from '../test/raw-peer.js'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const KILLS = 20
const SEED = Number(process.env.SEED ?? 4253346320)
const random = seededRandom(SEED)
const below = (n: number) => Math.floor(random() * n)

const keys = Array.from({ length: 3 }, generateSecretKey)
const clock = createClock()

/** Half regular, half fighting over a few replaceable keys, some ephemeral. */
function nextEvent(): Event {
  const kinds = [1, 1, 1, 10001, 10002, 30001, 30001, 20000]
  const kind = kinds[below(kinds.length)]!
  const back = BigInt(below(2_000_000))
  const tags = kind === 30001 ? ([['d', `${below(4)}`]] as const) : []
  const content = 'x'.repeat(below(600))
  return signEvent({ kind, content, tags, createdAt: clock() - back }, keys[below(keys.length)]!)
}

test(`${KILLS} kills, seed ${SEED}`, { timeout: 900_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aether-crash-'))
  const path = join(folder, 'data')
  const acked = new Map<string, Event>()
  /** The best acknowledged event of each replaceable key. */
  const best = new Map<string, Event>()
  const seqs = new Set<unknown>()
  let epoch: string | undefined

  for (let round = 0; round < KILLS; round++) {
    const child = spawn(process.execPath, [MAIN, '--ws-port', '0', '--storage-path', path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const gone = new Promise((resolve) => child.once('close', resolve))
    const port = await new Promise<number>((resolve, reject) => {
      let out = ''
      child.stdout.on('data', (chunk) => {
        out += chunk
        const url = /"url":"ws:\/\/127\.0\.0\.1:(\d+)"/.exec(out)
        if (url !== null) resolve(Number(url[1]))
      })
      void gone.then(() => reject(new Error('ended before it listened')))
    })
    const authors = await Promise.all([RawPeer.connect(port), RawPeer.connect(port)])
    const killAfter = 1 + below(1200)
    let answers = 0
    await Promise.all(
      authors.map(async (author) => {
        const pending: Event[] = []
        try {
          for (;;) {
            while (pending.length < 100) {
              const event = nextEvent()
              pending.push(event)
              author.say(writeMessage({ type: 'publish', event }))
            }
            const answer = await author.hearJson()
            const event = pending.shift()!
            expect(answer).toMatchObject({ type: 'ack', event_id: event.id })
            if (event.kind !== 20000) note(event)
            expect(seqs.has(answer.seq)).toBe(false)
            seqs.add(answer.seq)
            if (++answers === killAfter) child.kill('SIGKILL')
          }
        } catch (error) {
          if (!(error instanceof Error) || !error.message.startsWith('closed')) throw error
        }
      }),
    )
    await gone
    const store = openLmdbStore(path)
    epoch ??= store.epoch
    expect(store.epoch).toBe(epoch)
    for (const event of acked.values()) {
      if (store.has(event.id)) continue
      const key = replaceKey(event)
      expect(key, `round ${round}: event ${event.id} of kind ${event.kind} is gone`).toBeDefined()
    }
    for (const [key, event] of best) {
      const filter = { authors: [event.pubkey], kinds: [event.kind] }
      const winners = store
        .query(filter, { limit: 100 })
        .map((stored) => stored.event)
        .filter((candidate) => replaceKey(candidate) === key)
      expect(winners, `round ${round}: key ${key}`).toHaveLength(1)
      expect(winners[0]?.id === event.id || supersedes(winners[0]!, event)).toBe(true)
    }
    await store.close()
  }
  expect(acked.size).toBeGreaterThan(KILLS * 10)
  rmSync(folder, { recursive: true, force: true })

  function note(event: Event): void {
    acked.set(event.id, event)
    if (!isReplaceable(event.kind) && !isParameterized(event.kind)) return
    const key = replaceKey(event)!
    const known = best.get(key)
    if (known === undefined || supersedes(event, known)) best.set(key, event)
  }
})
