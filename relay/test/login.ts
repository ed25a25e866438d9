/** Three who read and write, and peers that have proven to be one of them (spec 4.1). */
import {
  createClock,
  type Event,
  generateSecretKey,
  signEvent,
  type Tag,
  writeMessage,
} from '@aetherkit/core'
import type { Relay } from '@aetherkit/relay'
import { expect } from 'vitest'
import { RawPeer } from './raw-peer.js'

export const clock = createClock()
export const keys = [generateSecretKey(), generateSecretKey(), generateSecretKey()] as const

export const sign = (kind: number, tags: readonly Tag[] = [], by: Uint8Array = keys[0]): Event =>
  signEvent({ kind, tags, content: 'x', createdAt: clock() }, by)
export const auth = (event: Event) => writeMessage({ type: 'auth', event })
export const hello = (...formats: string[]) => ({
  type: 'hello',
  version: 1,
  formats,
  features: ['auth', 'eose', 'closed'],
})

/** The answer to a challenge. */
export function proof(
  relay: Relay,
  challenge: unknown,
  by: Uint8Array = keys[0],
  more: readonly Tag[] = [],
): Event {
  return sign(22242, [['relay', relay.url], ['challenge', String(challenge)], ...more], by)
}

/** A peer that has proven these keys. */
export async function login(relay: Relay, ...by: Uint8Array[]): Promise<RawPeer> {
  const peer = await RawPeer.connect(relay.port)
  expect((await peer.ask(hello('json'))).type).toBe('welcome')
  const { challenge } = await peer.hearJson()
  for (const key of by) expect((await peer.ask(auth(proof(relay, challenge, key)))).type).toBe('ack')
  return peer
}
