/** A bare Nostr peer for tests: arrays out, arrays in; the challenge it is greeted with is kept aside. */
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '@aetherkit/core'
import type { Relay } from '@aetherkit/relay'
import { RawPeer } from './raw-peer.js'

export class NostrPeer {
  readonly raw: RawPeer
  readonly challenge: string

  private constructor(raw: RawPeer, challenge: string) {
    this.raw = raw
    this.challenge = challenge
  }

  static async connect(relay: Relay): Promise<NostrPeer> {
    const raw = await RawPeer.connect(relay.nostr?.port ?? 0)
    const [type, challenge] = await hearArray(raw)
    if (type !== 'AUTH' || typeof challenge !== 'string') throw new Error('a challenge expected')
    return new NostrPeer(raw, challenge)
  }

  say(message: string | readonly unknown[]): void {
    this.raw.say(typeof message === 'string' ? message : JSON.stringify(message))
  }

  hear(): Promise<readonly JsonValue[]> {
    return hearArray(this.raw)
  }

  ask(message: string | readonly unknown[]): Promise<readonly JsonValue[]> {
    this.say(message)
    return this.hear()
  }

  /** The stored events that the filters give, up to EOSE; the subscription stays. */
  async query(...filters: readonly object[]): Promise<readonly JsonObject[]> {
    this.say(['REQ', 'query', ...filters])
    const events: JsonObject[] = []
    for (;;) {
      const [type, , event] = await this.hear()
      if (type === 'EOSE') return events
      if (type !== 'EVENT' || !isJsonObject(event)) throw new Error(`an event expected, got ${String(type)}`)
      events.push(event)
    }
  }
}

async function hearArray(raw: RawPeer): Promise<readonly JsonValue[]> {
  const { opcode, payload } = await raw.hear()
  const parsed = parseJson(payload.toString())
  if (opcode !== 1 || !parsed.ok || !Array.isArray(parsed.value))
    throw new Error(`an array expected, got ${payload}`)
  return parsed.value
}
