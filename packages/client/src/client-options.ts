/** What a client is made with. */
import type { BackoffOptions } from './backoff.js'
import type { ClientError } from './errors.js'
import type { FormatName } from './format.js'
import type { Signer } from './signer.js'

export interface ClientOptions {
  /** Who we are: a signer, a 32-byte secret, or a new random key. */
  readonly signer?: Signer | Uint8Array | undefined
  /** Gives up connecting. Does nothing once connected. */
  readonly signal?: AbortSignal | undefined
  /** How long the first welcome may take, ms, default 10 000. */
  readonly timeoutMs?: number | undefined
  /** Relays at most, default 3: another is a RangeError. */
  readonly maxRelays?: number | undefined
  /** What to speak, best first. Default `aether.v2`, `json`. */
  readonly formats?: readonly FormatName[] | undefined
  /** `xx`: Noise XX with every relay, or no session (spec 8.2). Default `off`: rely on `wss`. */
  readonly noise?: 'xx' | 'off' | undefined
  /** Whether relays that ask who we are get an answer, signed for their URL as given here. Default true. */
  readonly auth?: boolean | undefined
  /** Static X25519 keys of relays, hex, by URL: with noise, a relay without its key gets no session. */
  readonly relayKeys?: Readonly<Record<string, string>> | undefined
  /** Bytes of the largest message to take, default 1 MiB. */
  readonly maxFrame?: number | undefined
  /** Publishes that wait for a relay or its verdict, at most; default 4096. */
  readonly maxPending?: number | undefined
  /** How long until a call that has no answer is repeated, ms at most, default 3000. */
  readonly callRetryMs?: number | undefined
  readonly reconnect?: BackoffOptions | undefined
  /** How often a relay is pinged, ms, default 25 000; one that shows no life in between is dropped. Not in browsers. */
  readonly heartbeatMs?: number | undefined
  /** Milliseconds since 1970, for `createdAt`. Default `Date.now`. */
  readonly now?: (() => number) | undefined
  /** Hears of what goes wrong outside of any call: lost relays, invalid events, handlers that throw. Default: nobody. */
  readonly onError?: ((error: ClientError) => void) | undefined
  /** Hears of human text that a relay sends. */
  readonly onNotice?: ((notice: { readonly relay: string; readonly message: string }) => void) | undefined
}

/** Each URL once. @throws RangeError for none or too many, TypeError for what is no `ws:` or `wss:` URL. */
export function checkRelays(relays: readonly string[], maxRelays: number): readonly string[] {
  const urls = [...new Set(relays)]
  if (urls.length === 0 || urls.length > maxRelays)
    throw new RangeError(`1 to ${maxRelays} relays expected, got ${urls.length}`)
  for (const url of urls) {
    if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol))
      throw new TypeError(`a relay is a ws: or wss: URL, got ${JSON.stringify(url)}`)
  }
  return urls
}
