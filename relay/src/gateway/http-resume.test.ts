/** 200 disconnects of an event stream in thousands of events: nothing lost, nothing twice (spec 7.4, 10.4). */
import { isJsonObject } from '@aetherkit/core'
import { seededRandom } from '@aetherkit/core/testing'
import { createRelay } from '@aetherkit/relay'
import { expect, test } from 'vitest'
import { ask, EventStream } from '../../test/http-client.js'
import { createAuthor } from '../../test/signing.js'

const EVENTS = 4000
const DISCONNECTS = 200
const SEED = Number(process.env.SEED ?? 4253346320)

test(`200 random disconnects in 4000 events lose nothing and repeat nothing, seed ${SEED}`, async () => {
  const random = seededRandom(SEED)
  const relay = await createRelay({ verifyWorkers: 1, http: {} })
  const port = relay.http?.port ?? 0
  await ask(port, 'POST /v1/subscriptions', { body: { filters: {}, subscription_id: 's' } })
  const author = createAuthor()
  const sent: string[] = []
  const got: string[] = []

  async function publishAll(): Promise<void> {
    while (sent.length < EVENTS) {
      const count = Math.min(1 + Math.floor(random() * 40), EVENTS - sent.length)
      const events = Array.from({ length: count }, () =>
        author.sign({ kind: random() < 0.3 ? 20_000 : 1, content: 'x'.repeat(Math.floor(random() * 500)) }),
      )
      sent.push(...events.map(({ id }) => id))
      await Promise.all(events.map((event) => relay.publish(event)))
    }
  }

  async function readAll(): Promise<number> {
    let lastId = ''
    for (let disconnects = 0; ; disconnects++) {
      const reader = await EventStream.open(port, '/v1/stream?subscription_id=s', {
        ...(lastId !== '' && { 'last-event-id': lastId }),
      })
      const isLast = disconnects >= DISCONNECTS
      let left = isLast ? Number.POSITIVE_INFINITY : Math.floor((random() * 1.6 * EVENTS) / DISCONNECTS)
      while (left-- > 0 && got.length < EVENTS) {
        const data = await reader.nextJson()
        got.push(isJsonObject(data.event) ? String(data.event.event_id) : '')
        lastId = `${relay.info.epoch}-${data.seq}`
      }
      reader.close()
      if (got.length === EVENTS && isLast) return disconnects
    }
  }

  const [disconnects] = await Promise.all([readAll(), publishAll()])
  expect(disconnects).toBe(DISCONNECTS)
  expect(got).toEqual(sent)
  await relay.close()
})
