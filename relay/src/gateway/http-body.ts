/** Bodies of HTTP requests (spec 10.2): capped before they are read, strict UTF-8, lossless JSON. */
import type { IncomingMessage } from 'node:http'
import {
  blake3,
  hasDuplicateKeys,
  isJsonObject,
  type JsonValue,
  parseJson,
  reject,
  toHex,
} from '@aetherkit/core'
import type { Limits } from '../limits.js'
import { Refused } from './http-answer.js'
import type { Exchange } from './http-routes.js'
import { gatewayReject } from './wording.js'

type Whole = Pick<Exchange, 'request' | 'payload'>

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'text/json'])
const NDJSON_TYPES: ReadonlySet<string> = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
])

/** Whether the announced body is over the cap: to be refused at once, before a byte of it is read. */
export function announcesTooMuch(request: IncomingMessage, { maxBody }: Limits): boolean {
  const { 'content-length': length } = request.headers
  return length !== undefined && Number(length) > maxBody
}

/** What the request says its body is. @throws Refused `unsupported_media_type` for anything that is not JSON in UTF-8. */
export function bodyFormat({ headers }: IncomingMessage): 'json' | 'ndjson' {
  const encoding = headers['content-encoding'] ?? 'identity'
  const [type = '', ...parameters] = (headers['content-type'] ?? 'application/json').toLowerCase().split(';')
  const charset = parameters.map((text) => text.trim()).find((text) => text.startsWith('charset='))
  const name = type.trim()
  const isText = charset === undefined || /^charset="?utf-?8"?$/.test(charset)
  if (encoding !== 'identity' || !isText || !(JSON_TYPES.has(name) || NDJSON_TYPES.has(name)))
    throw new Refused(
      reject('unsupported_media_type', undefined, 'application/json or application/x-ndjson, as UTF-8'),
    )
  return NDJSON_TYPES.has(name) ? 'ndjson' : 'json'
}

/**
 * The whole body as text.
 * @throws Refused `too_large`; `invalid_message` when it is no UTF-8 or breaks off; `auth_required` when it is not the
 * one that the proof of the request names.
 */
export async function readText({ request, payload }: Whole, limits: Limits): Promise<string> {
  if (announcesTooMuch(request, limits)) throw tooLarge(limits)
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      chunks.push(chunk as Buffer)
      size += (chunk as Buffer).length
      if (size > limits.maxBody) throw tooLarge(limits)
    }
    const bytes = Buffer.concat(chunks, size)
    if (payload !== undefined && toHex(blake3(bytes)) !== payload)
      throw new Refused(reject('auth_required', undefined, 'the tag payload is not BLAKE3-256 of the body'))
    return utf8.decode(bytes)
  } catch (error) {
    if (error instanceof Refused) throw error
    throw new Refused(
      gatewayReject('invalid_message', 'payload must be object', 'the body is no whole UTF-8'),
    )
  }
}

/** One JSON value; an empty body counts as `{}`. @throws Refused */
export function readValue(text: string, maxDepth: number): JsonValue {
  if (text === '') return Object.create(null)
  const parsed = parseJson(text, { maxDepth })
  if (parsed.ok) return parsed.value
  throw new Refused(gatewayReject('invalid_message', 'payload must be object', parsed.detail))
}

/** A JSON object from the body. @throws Refused */
export async function readObject(whole: Whole, limits: Limits) {
  if (bodyFormat(whole.request) !== 'json') throw new Refused(reject('unsupported_media_type'))
  const value = readValue(await readText(whole, limits), limits.maxJsonDepth)
  if (!isJsonObject(value)) throw new Refused(gatewayReject('invalid_message', 'payload must be object'))
  if (hasDuplicateKeys(value))
    throw new Refused(gatewayReject('invalid_message', 'payload must be object', 'duplicate key'))
  return value
}

function tooLarge({ maxBody }: Limits): Refused {
  return new Refused(reject('too_large', undefined, `a body of at most ${maxBody} bytes`))
}
