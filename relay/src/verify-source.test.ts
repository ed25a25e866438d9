/** Sources: they take turns, forgeries wait behind honest claims, and nobody's claims change their order. */
import { createClock, type Event, generateSecretKey, signEvent } from '@aetherkit/core'
import { afterEach, describe, expect, test } from 'vitest'
import { VerifyPool } from './verify-pool.js'
import { VerifyRoom } from './verify-queue.js'
import { VerifySource, VerifySources } from './verify-source.js'

const script = new URL('../dist/verify-worker.js', import.meta.url)
const key = generateSecretKey()
const clock = createClock()
const sign = (): Event => signEvent({ kind: 1, content: 'x', createdAt: clock() }, key)
const forge = (): Event => ({ ...sign(), sig: '00'.repeat(64) })

const event = sign()
const room = new VerifyRoom(1, 1)

type Verdict = 'valid' | 'invalid_signature' | 'failed'

function judge(source: VerifySource, verdict: Verdict, times: number, size = 0): void {
  for (let i = 0; i < times; i++) {
    source.push({ event, settle: () => {}, source, room, size, verdict })
    source.advance()
    source.release()
  }
}

describe('a source', () => {
  test('is in doubt after eight bad claims in a row, and out of it after good ones', () => {
    const source = new VerifySource()
    judge(source, 'invalid_signature', 7)
    expect(source.isDoubtful).toBe(false)
    judge(source, 'invalid_signature', 1)
    expect(source.isDoubtful).toBe(true)
    judge(source, 'valid', 1)
    expect(source.isDoubtful).toBe(false)
    judge(source, 'invalid_signature', 1000)
    judge(source, 'valid', 224)
    expect(source.isDoubtful).toBe(true)
    judge(source, 'valid', 32)
    expect([source.isDoubtful, source.isBlank]).toEqual([false, true])
  })

  test('does not come into doubt by one bad claim in six, nor by workers that die', () => {
    const source = new VerifySource()
    for (let i = 0; i < 1000; i++) {
      judge(source, 'invalid_signature', 1)
      judge(source, 'valid', 5)
    }
    judge(source, 'failed', 1000)
    expect(source.isDoubtful).toBe(false)
  })

  test('is in doubt after one large bad claim, and out of it after a large good one', () => {
    const source = new VerifySource()
    judge(source, 'invalid_signature', 1, 500_000)
    expect(source.isDoubtful).toBe(true)
    judge(source, 'valid', 4, 500_000)
    expect(source.isBlank).toBe(true)
  })

  test('is forgotten when nothing is to be remembered, and else when there are too many', () => {
    const sources = new VerifySources(100)
    for (let peer = 0; peer < 1000; peer++) {
      judge(sources.of(peer), peer % 2 === 0 ? 'valid' : 'invalid_signature', 1)
      sources.forgetIfBlank(peer)
    }
    expect(sources.size).toBe(100)
    expect(sources.of(999).isBlank).toBe(false)
    expect(sources.of(1).isBlank).toBe(true)
  })
})

describe('the pool', () => {
  let pool: VerifyPool
  afterEach(() => pool.close())
  const submit = (event: Event, source: VerifySource, settled: (verdict: string) => void) =>
    new Promise<void>((resolve) => {
      const isTaken = pool.submit(
        { event },
        (verdict) => {
          settled(verdict)
          resolve()
        },
        source,
      )
      if (!isTaken) resolve(settled('full'))
    })

  test('lets who says little overtake all that others have said', async () => {
    pool = new VerifyPool({ workers: 1, script })
    const [eager, heavy, modest] = [new VerifySource(), new VerifySource(), new VerifySource()]
    const order: string[] = []
    const large = signEvent({ kind: 1, content: 'x'.repeat(400_000), createdAt: clock() }, key)
    const waiting = [
      ...Array.from({ length: 400 }, () => submit(event, eager, () => void order.push('eager'))),
      ...Array.from({ length: 40 }, () => submit(large, heavy, () => void order.push('heavy'))),
    ]
    // The workers have theirs by now, and the rest waits.
    await waiting[0]
    waiting.push(...Array.from({ length: 4 }, () => submit(sign(), modest, () => void order.push('modest'))))
    await Promise.all(waiting)
    const last = order.lastIndexOf('modest')
    expect(order.slice(0, last).filter((who) => who === 'eager').length).toBeLessThan(150)
    // A large claim costs many turns: beside it the small ones go on.
    const heavies = order.slice(0, order.lastIndexOf('eager')).filter((who) => who === 'heavy').length
    expect(heavies).toBeGreaterThan(5)
    expect(heavies).toBeLessThan(25)
  })

  test('serves honest sources before those in doubt, however much these bring', async () => {
    pool = new VerifyPool({ workers: 1, script })
    const [bad, good] = [new VerifySource(), new VerifySource()]
    judge(bad, 'invalid_signature', 8)
    let refused = 0
    const forged = forge()
    const forgeries = Array.from({ length: 1500 }, () => submit(forged, bad, () => refused++))
    let accepted = 0
    const honest = Array.from({ length: 200 }, () =>
      submit(sign(), good, (verdict) => {
        expect(verdict).toBe('valid')
        accepted++
      }),
    )
    await Promise.all(honest)
    expect(accepted).toBe(200)
    expect(refused).toBeLessThan(1500)
    await Promise.all(forgeries)
    expect(refused).toBe(1500)
  })

  test('keeps the order of a source that comes into doubt and out of it', async () => {
    pool = new VerifyPool({ workers: 2, script })
    const source = new VerifySource()
    const order: number[] = []
    const waiting: Promise<void>[] = []
    let next = 0
    const bring = (events: readonly Event[]) => {
      for (const event of events) {
        const place = next++
        waiting.push(submit(event, source, () => void order.push(place)))
      }
    }
    for (let round = 0; round < 8; round++) {
      bring(Array.from({ length: 20 }, forge))
      await waiting.at(-10)
      bring(Array.from({ length: 60 }, sign))
    }
    await Promise.all(waiting)
    expect(order).toEqual(Array.from({ length: next }, (_, i) => i))
  })

  test('takes no more from sources in doubt than a quarter of its queue', async () => {
    pool = new VerifyPool({ workers: 1, maxQueue: 40, script })
    const source = new VerifySource()
    judge(source, 'invalid_signature', 8)
    const verdicts: string[] = []
    await Promise.all(
      Array.from({ length: 15 }, () => submit(forge(), source, (said) => verdicts.push(said))),
    )
    expect(verdicts.filter((said) => said === 'full')).toHaveLength(5)
    expect(verdicts.filter((said) => said === 'invalid_signature')).toHaveLength(10)
  })
  test('has room for so many bytes of events', async () => {
    pool = new VerifyPool({ workers: 1, maxBytes: 400_000, script })
    const source = new VerifySource()
    judge(source, 'invalid_signature', 8)
    // In doubt there is a quarter of it.
    const heavy = { ...forge(), content: new Uint8Array(40_000) }
    const verdicts: string[] = []
    const waiting = Array.from({ length: 5 }, () => submit(heavy, source, (said) => void verdicts.push(said)))
    expect(verdicts).toEqual(['full', 'full'])
    await Promise.all(waiting)
    expect(verdicts).toEqual(['full', 'full', 'id_mismatch', 'id_mismatch', 'id_mismatch'])
    await submit(heavy, source, (said) => void verdicts.push(said))
    expect(verdicts.at(-1)).toBe('id_mismatch')
  })
})
