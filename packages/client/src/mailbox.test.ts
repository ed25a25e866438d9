/** Durable mailboxes with real relays: offline spooling, acks, redelivery, several relays and processes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '@aetherkit/core/testing'
import { createRelay, openLmdbStore, openMailboxFile, type RelayOptions } from '@aetherkit/relay'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { WELCOME } from '../test/scripted-relay.js'
import { client, failure, proxy, relay, scripted, until } from '../test/world.js'
import type { Client } from './client.js'
import type { FormatName } from './format.js'
import type { Mailbox, MailboxMessage } from './mailbox.js'
import { localSigner } from './signer.js'

// A busy machine may take its time.
vi.setConfig({ testTimeout: 60_000 })

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'aether-mailbox-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}
const durable = (path: string): RelayOptions => ({
  store: openLmdbStore(join(path, 'data')),
  mailboxes: openMailboxFile(join(path, 'mailboxes.mdb')),
})
async function send(from: Client, to: string, ...texts: string[]): Promise<string[]> {
  for (const content of texts) await from.publish({ kind: 1, content, tags: [['p', to]] })
  return texts
}
/** The next `count` messages. */
async function next(mailbox: Mailbox, count: number): Promise<MailboxMessage[]> {
  const iterator = mailbox[Symbol.asyncIterator]()
  const messages: MailboxMessage[] = []
  while (messages.length < count) {
    const { value } = await iterator.next()
    if (value === undefined) break
    messages.push(value)
  }
  return messages
}
const textsOf = (messages: readonly MailboxMessage[]) => messages.map(({ event }) => event.text)

describe.each<FormatName>(['aether.v2', 'json'])('in %s', (format) => {
  const options = { formats: [format] }

  test('an agent that was away gets what was addressed to it, in order, and after an ack never again', async () => {
    const { url } = await relay()
    const [alice, signer] = [await client(url, options), localSigner()]
    const texts = await send(alice, signer.publicKey, 'a', 'b', 'c')
    const bob = await client(url, { ...options, signer })
    const box = bob.mailbox('work')
    await box.opened
    const messages = await next(box, 3)
    expect(textsOf(messages)).toEqual(texts)
    expect(messages.map(({ deliveries }) => deliveries)).toEqual([1, 1, 1])
    for (const message of messages) await message.ack()
    await send(alice, signer.publicKey, 'd')
    expect(textsOf(await next(box, 1))).toEqual(['d'])
    await bob.close()
    const again = await client(url, { ...options, signer })
    expect(textsOf(await next(again.mailbox('work'), 1))).toEqual(['d'])
    expect([...bob.errors, ...again.errors]).toEqual([])
  })

  test('a nack, and a time without an ack, bring it again', async () => {
    const { url } = await relay()
    const [alice, bob] = [await client(url, options), await client(url, options)]
    await send(alice, bob.publicKey, 'a')
    const box = bob.mailbox('work', { ackTimeoutMs: 400 })
    const [first] = await next(box, 1)
    first!.nack()
    const [second] = await next(box, 1)
    expect([first!.deliveries, second!.deliveries]).toEqual([1, 2])
    // Forgotten: neither acked nor nacked.
    const [third] = await next(box, 1)
    expect(third!.deliveries).toBeGreaterThanOrEqual(3)
    await third!.ack()
    expect((await relay()).stats().unacked).toBe(0)
  })

  test('two processes share one name, and to break off gives back what is not acked', async () => {
    const { url } = await relay()
    const signer = localSigner()
    const [alice, one, two] = [
      await client(url, options),
      await client(url, { ...options, signer }),
      await client(url, { ...options, signer }),
    ]
    const [first, second] = [one.mailbox('work', { maxUnacked: 2 }), two.mailbox('work', { maxUnacked: 2 })]
    await Promise.all([first.opened, second.opened])
    const texts = await send(alice, signer.publicKey, 'a', 'b', 'c', 'd')
    const mine = await next(first, 2)
    const yours = await next(second, 2)
    expect(textsOf([...mine, ...yours]).sort()).toEqual(texts)
    await mine[0]!.ack()
    for (const message of yours) await message.ack()
    first.close()
    expect(textsOf(await next(second, 1))).toEqual([mine[1]!.event.text])
  })
})

test('an ack without a relay waits for it, and counts when it is back', async () => {
  const way = await proxy(9)
  const { port } = await relay({ auth: { urls: [way.url] } })
  way.target = port
  const signer = localSigner()
  const [alice, bob] = [await client(way.url), await client(way.url, { signer })]
  await send(alice, bob.publicKey, 'a', 'b')
  const box = bob.mailbox('work', { maxUnacked: 1 })
  const [a] = await next(box, 1)
  way.refusing = true
  way.cut()
  await until(() => bob.connected.length === 0)
  const acked = a!.ack()
  way.refusing = false
  await acked
  expect(textsOf(await next(box, 1))).toEqual(['b'])
  await bob.close()
  const again = await client(way.url, { signer })
  expect(textsOf(await next(again.mailbox('work'), 1))).toEqual(['b'])
})

test('an event that two relays deliver is handed out once, and acked at both', async () => {
  const [one, two] = [await relay(), await relay()]
  const both = [one.url, two.url]
  const [alice, bob] = [await client(both), await client(both)]
  await until(() => alice.connected.length === 2 && bob.connected.length === 2)
  for (const content of ['a', 'b'])
    await alice.publish({ kind: 1, content, tags: [['p', bob.publicKey]] }, { quorum: 2 })
  const box = bob.mailbox('work')
  const messages = await next(box, 2)
  expect(textsOf(messages).sort()).toEqual(['a', 'b'])
  await until(() => one.stats().unacked === 2 && two.stats().unacked === 2)
  for (const message of messages) await message.ack()
  await until(() => one.stats().unacked === 0 && two.stats().unacked === 0)
})

test('what is delivered too often goes to the dead letters, and is acked with them', async () => {
  const { url } = await relay()
  const [alice, bob] = [await client(url), await client(url)]
  await send(alice, bob.publicKey, 'poison', 'food')
  const dead: string[] = []
  const box = bob.mailbox('work', {
    maxDeliveries: 2,
    maxUnacked: 1,
    onDeadLetter: ({ event, deliveries }) => void dead.push(`${event.text} ${deliveries}`),
  })
  const seen: string[] = []
  for await (const message of box) {
    seen.push(message.event.text)
    if (message.event.text === 'poison') message.nack()
    else {
      await message.ack()
      break
    }
  }
  expect([seen, dead]).toEqual([['poison', 'poison', 'food'], ['poison 3']])
})

test('delete forgets it at the relay, and tells who else has it open', async () => {
  const { url } = await relay()
  const signer = localSigner()
  const [alice, one, two] = [await client(url), await client(url, { signer }), await client(url, { signer })]
  await send(alice, signer.publicKey, 'a')
  const [box, other] = [one.mailbox('work'), two.mailbox('work')]
  await Promise.all([box.opened, other.opened])
  const reading = failure(next(other, 9))
  await box.delete()
  expect(await reading).toMatchObject({ code: 'REJECTED', rejectCode: 'subscription_not_found' })
  expect(textsOf(await next(one.mailbox('work'), 1))).toEqual(['a'])
})

test('a relay without mailboxes is UNSUPPORTED, bad arguments are misuse', async () => {
  const old = await scripted((message, say) => {
    if (message.type === 'hello') say(WELCOME)
  })
  const bob = await client(old.url)
  const box = bob.mailbox('work')
  expect(await failure(box.opened)).toMatchObject({ code: 'UNSUPPORTED' })
  expect(await failure(next(box, 1))).toMatchObject({ code: 'UNSUPPORTED' })
  expect(() => bob.mailbox('a b')).toThrow(TypeError)
  expect(() => bob.mailbox('work', { ackTimeoutMs: 0 })).toThrow(RangeError)
  expect(() => bob.mailbox('work', { maxDeliveries: 3 })).toThrow(TypeError)
})

test('filters of another kind are a conflict; an abort throws its reason; a closed one is CLOSED', async () => {
  const { url } = await relay()
  const signer = localSigner()
  const bob = await client(url, { signer })
  await bob.mailbox('work', { filters: { kinds: [1] } }).opened
  const other = bob.mailbox('work', { filters: { kinds: [2] } })
  expect(await failure(other.opened)).toMatchObject({ rejectCode: 'subscription_conflict' })
  const abort = new AbortController()
  const aborted = bob.mailbox('mine', { signal: abort.signal })
  const reading = failure(next(aborted, 1))
  abort.abort(new Error('enough'))
  expect(await reading).toMatchObject({ message: 'enough' })
  const alice = await client(url)
  await send(alice, bob.publicKey, 'x')
  const closed = bob.mailbox('last')
  const [message] = await next(closed, 1)
  closed.close()
  expect(await failure(message!.ack())).toMatchObject({ code: 'CLOSED' })
  expect(await next(closed, 1)).toEqual([])
})

const SEED = Number(process.env.AETHER_MAILBOX_SEED ?? Date.now() % 2 ** 31)
test(`two clients through restarts of the relay: every event is acked in the end, seed ${SEED}`, async () => {
  const random = seededRandom(SEED)
  const [path, signer, way] = [folder(), localSigner(), await proxy(9)]
  const start = async () => {
    const started = await createRelay({ verifyWorkers: 1, auth: { urls: [way.url] }, ...durable(path) })
    way.target = started.port
    return started
  }
  let running = await start()
  onTestFinished(() => running.close())
  const LETTERS = 60
  const published = new Set<string>()
  const acked = new Set<string>()
  /** Acked, but the end of the client came before the answer. */
  const unanswered = new Set<string>()
  const isOver = () =>
    published.size === LETTERS && [...published].every((id) => acked.has(id) || unanswered.has(id))
  const consume = async (format: FormatName) => {
    while (!isOver()) {
      const bob = await client(way.url, { signer, formats: [format] })
      const before = new Set(acked)
      const box = bob.mailbox('work', { ackTimeoutMs: 300, maxUnacked: 4 })
      const look = setInterval(() => isOver() && box.close(), 20)
      for await (const { event, ack, nack } of box) {
        expect(before.has(event.id), `${event.text} came again, seed ${SEED}`).toBe(false)
        const dice = random()
        if (dice < 0.7)
          void ack().then(
            () => acked.add(event.id),
            () => unanswered.add(event.id),
          )
        else if (dice < 0.8) nack(20)
        else if (dice < 0.85) break
      }
      clearInterval(look)
      await bob.close()
    }
  }
  const author = async () => {
    const alice = await client(way.url)
    for (let i = 0; i < LETTERS; i++) {
      const { id } = await alice.publish({ kind: 1, content: `${i}`, tags: [['p', signer.publicKey]] })
      published.add(id)
      if (i % 20 !== 10) continue
      await running.close()
      running = await start()
    }
  }
  await Promise.all([author(), consume('aether.v2'), consume('json')])
  expect(isOver()).toBe(true)
  expect(acked.size).toBeGreaterThan(0)
})
