import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { NoiseTransport } from './noise-transport.js'
import { NoiseXX } from './noise-xx.js'
import { randomBytes } from './x25519.js'

function connected(maxFrame?: number): [client: NoiseTransport, relay: NoiseTransport] {
  const prologue = new Uint8Array()
  const limits = maxFrame === undefined ? {} : { maxFrame }
  const client = new NoiseXX({ role: 'client', staticSecret: randomBytes(32), prologue, ...limits })
  const relay = new NoiseXX({ role: 'relay', staticSecret: randomBytes(32), prologue, ...limits })
  relay.read(client.write())
  client.read(relay.write())
  relay.read(client.write())
  return [client.transport!, relay.transport!]
}

function joined(to: NoiseTransport, messages: readonly Uint8Array[]): ReturnType<NoiseTransport['open']> {
  return messages.map((message) => to.open(message)).at(-1)!
}

describe('Noise transport', () => {
  it('carries frames of any length both ways, cut into messages of at most 65 535 bytes', () => {
    const [client, relay] = connected()
    for (const length of [0, 1, 65_517, 65_518, 65_519, 131_036, 131_037, 300_000]) {
      const frame = new Uint8Array(length).fill(length)
      const messages = client.seal(frame)
      expect(messages.length).toBe(Math.max(1, Math.ceil(length / 65_518)))
      expect(Math.max(...messages.map((message) => message.length))).toBeLessThanOrEqual(65_535)
      for (const result of [joined(relay, messages), joined(client, relay.seal(frame))])
        expect(result.ok && result.frame && Buffer.compare(frame, result.frame)).toBe(0)
    }
  })

  it('gives no frame before the last piece', () => {
    const [client, relay] = connected()
    const [first] = client.seal(new Uint8Array(65_519))
    expect(relay.open(first!)).toEqual({ ok: true })
  })

  it('stops with too_large when pieces join past the frame limit, before the last one', () => {
    const [client, relay] = connected(100_000)
    const messages = client.seal(new Uint8Array(200_000))
    expect(relay.open(messages[0]!)).toEqual({ ok: true })
    expect(relay.open(messages[1]!)).toMatchObject({ ok: false, code: 'too_large' })
    expect(relay.open(messages[2]!)).toMatchObject({ ok: false, code: 'too_large' })
  })

  it('takes a frame of exactly the limit', () => {
    const [client, relay] = connected(70_000)
    expect(joined(relay, client.seal(new Uint8Array(70_000)))).toMatchObject({ ok: true })
  })

  it.each([
    ['no mark', []],
    ['mark 2', [2, 0]],
    ['a promise of more without data', [1]],
  ])('refuses a piece with noise_error: %s', (_what, piece) => {
    const [client, relay] = connected()
    expect(relay.open(client.sealMessage(Uint8Array.from(piece)))).toMatchObject({ code: 'noise_error' })
  })

  it('refuses a repeated, reordered, dropped or reflected message with noise_error', () => {
    const attacks: ((first: Uint8Array, second: Uint8Array, own: Uint8Array) => Uint8Array[])[] = [
      (first) => [first, first],
      (_first, second) => [second],
      (first, _second, own) => [first, own],
    ]
    for (const attack of attacks) {
      const [client, relay] = connected()
      const [first] = client.seal(Uint8Array.of(1))
      const [second] = client.seal(Uint8Array.of(2))
      const [own] = relay.seal(Uint8Array.of(3))
      expect(joined(relay, attack(first!, second!, own!))).toMatchObject({ ok: false, code: 'noise_error' })
    }
  })

  it('refuses every later message after a wrong one', () => {
    const [client, relay] = connected()
    relay.open(randomBytes(40))
    expect(joined(relay, client.seal(Uint8Array.of(1)))).toMatchObject({ code: 'noise_error' })
  })

  it('refuses random bytes of any length with noise_error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (message) => {
        expect(connectedOnce.open(message)).toMatchObject({ ok: false, code: 'noise_error' })
      }),
    )
    expect(connected()[0].open(new Uint8Array(65_536))).toMatchObject({ code: 'noise_error' })
  })

  it('throws RangeError for a bare message that does not fit', () => {
    expect(() => connected()[0].sealMessage(new Uint8Array(65_520))).toThrow(RangeError)
  })
})

const [connectedOnce] = connected()
