/** By what code of the table (spec 3.2) a relay answered, on every surface. Ours to say: what has none is not known. */
import { codeByNumber, decodeBinary, decodeFrame, isRejectCode, REJECTS } from '@aetherkit/core'

/** Words that stand before a refusal on Nostr (spec 9.2). */
const PREFIXES = new Set(Object.values(REJECTS).map(({ nostr }) => nostr))
const UNREADABLE = { code: 'unreadable', isKnown: false, isAnswer: true }
const known = (code) => isRejectCode(code) && code !== 'internal'

/** Of a message on a native port, in any of its forms. */
export function codeOf(data, isBinary) {
  if (isBinary && data.toString('latin1', 4, 8) === 'AFR2') return codeOfFrame(data)
  const opened = isBinary ? decodeBinary(data) : { ok: true, json: data.toString() }
  if (!opened.ok) return UNREADABLE
  const message = JSON.parse(opened.json)
  const { type, code, noise } = message
  if (type === 'error' || type === 'closed')
    return { code: String(code), isKnown: known(code), isAnswer: true }
  const isSealed = type === 'noise' || (type === 'welcome' && noise.required === true)
  return { code: type, isKnown: true, isSealed, isAnswer: type !== 'event' && type !== 'eose' }
}

function codeOfFrame(data) {
  const decoded = decodeFrame(data)
  if (!decoded.ok) return UNREADABLE
  const { type, code } = decoded.frame
  if (code === undefined) return { code: type, isKnown: true, isAnswer: type !== 'deliver' && type !== 'end' }
  const name = codeByNumber(code)
  return { code: name ?? `code ${code}`, isKnown: known(name), isAnswer: true }
}

export function codeOfNostr(data) {
  const [type, first, second, third] = JSON.parse(data.toString())
  const text =
    type === 'NOTICE'
      ? first
      : type === 'CLOSED'
        ? second
        : type === 'OK' && second === false
          ? third
          : undefined
  if (text === undefined) return { code: type, isKnown: true, isAnswer: type === 'OK' }
  const prefix = text.split(': ')[0]
  const isKnown = (type === 'NOTICE' ? known(prefix) : PREFIXES.has(prefix)) && !text.includes('internal')
  return { code: `${type} ${prefix}`, isKnown, isAnswer: true }
}

/** Of an HTTP answer. What is no WebSocket handshake, or names no host, is refused by a status alone. */
export function codeOfHttp(status, body) {
  if (status < 400) return { code: `${status}`, isKnown: true }
  const code = /^\{.*"code":"([a-z_]+)".*\}$/s.exec(body)?.[1]
  if (code !== undefined) return { code: `${status} ${code}`, isKnown: known(code) }
  return { code: `${status}`, isKnown: status < 500 && body.length < 100 }
}
