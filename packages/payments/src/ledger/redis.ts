/**
 * The store of several machines: Redis 6 or newer, through any client that can send a command. A new claim is one
 * `SET key text PX ttl NX`; every other swap is one script, so the server itself does compare and set in one step.
 *
 * Durability is the server's: with `appendfsync everysec` a crash of the server may forget one second.
 */
import { PaymentError } from '../errors.js'
import type { LedgerStore } from './store.js'

/** A node-redis client (`sendCommand`) or an ioredis one (`call`), connected. */
export type RedisClient =
  | { call(command: string, ...args: string[]): Promise<unknown> }
  | { sendCommand(args: readonly string[]): Promise<unknown> }

const SWAP = `
local now = redis.call('GET', KEYS[1])
if now ~= ARGV[1] then return 0 end
if ARGV[3] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`

/**
 * A store under a key prefix. The client stays the caller's: `close` leaves it open.
 * @throws PaymentError `rpc_failed` from any operation when the server answers with something else
 */
export function redisStore(client: RedisClient, options: { readonly prefix?: string } = {}): LedgerStore {
  const { prefix: space = 'aetherkit:' } = options
  const send = (...args: [string, ...string[]]): Promise<unknown> =>
    'call' in client ? client.call(...args) : client.sendCommand(args)

  return {
    reach: 'network',
    async get(key) {
      const answer = await send('GET', space + key)
      return answer === null ? undefined : text(answer)
    },
    async swap(key, expected, next, ttlMs) {
      const ttl = String(Math.max(1, Math.ceil(ttlMs)))
      if (expected === undefined) {
        if (next === undefined) return (await send('EXISTS', space + key)) === 0
        return (await send('SET', space + key, next, 'PX', ttl, 'NX')) !== null
      }
      const change = next === undefined ? ['', ''] : [next, ttl]
      return (await send('EVAL', SWAP, '1', space + key, expected, ...change)) === 1
    },
    async keys(prefix) {
      const pattern = `${(space + prefix).replace(/[*?[\]\\^]/g, '\\$&')}*`
      const found = new Set<string>()
      let cursor = '0'
      do {
        const answer = await send('SCAN', cursor, 'MATCH', pattern, 'COUNT', '1000')
        if (!Array.isArray(answer) || !Array.isArray(answer[1])) throw unexpected(answer)
        cursor = text(answer[0])
        for (const key of answer[1]) found.add(text(key).slice(space.length))
      } while (cursor !== '0')
      return [...found]
    },
    async close() {},
  }
}

function text(answer: unknown): string {
  if (typeof answer === 'string') return answer
  if (answer instanceof Uint8Array) return new TextDecoder().decode(answer)
  throw unexpected(answer)
}

function unexpected(answer: unknown): PaymentError {
  return new PaymentError('rpc_failed', `Redis gave an answer of another kind: ${typeof answer}`)
}
