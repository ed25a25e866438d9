/** Proofs of keys over HTTP for tests, made by hand, so that wrong ones can be made too. */
import {
  blake3,
  createClock,
  type EventTemplate,
  generateSecretKey,
  publicKeyOf,
  signEvent,
  type Tag,
  toHex,
  writeEvent,
} from '@aetherkit/core'

const clock = createClock()

export interface Prover {
  readonly publicKey: string
  readonly secretKey: Uint8Array
  /** The header for `line`, method and path. `change`: what is to be otherwise than it should. */
  header(
    relay: Addressed,
    line: string,
    body?: string,
    change?: ProofChange,
  ): { readonly authorization: string }
}

/** Where the relay is. */
interface Addressed {
  readonly http: { readonly url: string } | undefined
}

export interface ProofChange extends Partial<EventTemplate> {
  /** In place of the tags of the same name; without values: left out. */
  readonly tags?: readonly Tag[]
}

export function createProver(secretKey: Uint8Array = generateSecretKey()): Prover {
  return {
    ...{ secretKey, publicKey: publicKeyOf(secretKey) },
    header(relay, line, body = '', { tags = [], ...change } = {}) {
      const [method = '', path = ''] = line.split(' ')
      const own: Tag[] = [
        ['u', `${relay.http?.url}${path}`],
        ['method', method],
      ]
      if (body !== '') own.push(['payload', toHex(blake3(Buffer.from(body)))])
      const kept = own.filter(([key]) => !tags.some(([name]) => name === key))
      const all = [...kept, ...tags.filter((tag) => tag.length > 1)]
      const event = signEvent({ kind: 27235, createdAt: clock(), ...change, tags: all }, secretKey)
      return { authorization: `Aether ${Buffer.from(writeEvent(event) ?? '').toString('base64')}` }
    },
  }
}
