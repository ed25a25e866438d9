/** One call to a facilitator over HTTP: one answer, one deadline, and what it said kept for the logs. */
import { isJsonObject, type JsonObject, parseJson, writeJson } from '@aetherkit/core'
import { PaymentError } from '../errors.js'
import { readRetryAfter } from '../retry-after.js'
import type { Fetch } from '../rpc.js'
import { readSupported, type Supported } from './supported.js'

type FacilitatorPath = 'verify' | 'settle' | 'supported'

export type AuthHeaders = () => Promise<Partial<Record<FacilitatorPath, Readonly<Record<string, string>>>>>

export interface Answer {
  readonly status: number
  /** What `Retry-After` said. */
  readonly retryMs: number | undefined
  readonly json: JsonObject
}

/** `isUnsent`: no connection was made, so nothing was asked. */
export class FacilitatorError extends PaymentError {
  readonly isUnsent: boolean

  constructor(message: string, isUnsent: boolean, options: ErrorOptions = {}) {
    super('facilitator_failed', message, options)
    this.isUnsent = isUnsent
  }
}

/** @throws FacilitatorError when there is no JSON in the answer, or no answer */
export type Ask = (path: FacilitatorPath, body?: string) => Promise<Answer>

const SUPPORTED_TRIES = 4
const MAX_PAUSE_MS = 10_000
const NOT_CONNECTED = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']

export function createAsk(
  base: string,
  fetch: Fetch,
  timeoutMs: number,
  createAuthHeaders: AuthHeaders | undefined,
): Ask {
  return async (path, body) => {
    const auth = (await createAuthHeaders?.())?.[path]
    let response: Response
    let text: string
    try {
      response = await fetch(`${base}/${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json', ...auth },
        signal: AbortSignal.timeout(timeoutMs),
        redirect: 'error',
        ...(body !== undefined && { body }),
      })
      text = await response.text()
    } catch (cause) {
      throw new FacilitatorError(`${path}: no answer from ${base}`, isUnsent(cause), { cause })
    }
    const parsed = parseJson(text)
    if (!parsed.ok || !isJsonObject(parsed.value))
      throw new FacilitatorError(`${path}: HTTP ${response.status}, ${text.slice(0, 200)}`, false)
    const retryMs = readRetryAfter(response.headers.get('retry-after'), Date.now())
    return { status: response.status, retryMs, json: parsed.value }
  }
}

/** `/supported`, again after a 429 when it says so. */
export async function askSupported(ask: Ask): Promise<Supported> {
  for (let tries = 1; ; tries++) {
    const { status, retryMs = 1_000 * tries, json } = await ask('supported')
    if (status === 200 && Array.isArray(json.kinds)) return readSupported(json)
    if (status !== 429 || tries === SUPPORTED_TRIES)
      throw new FacilitatorError(`supported: HTTP ${status}, ${writeJson(json).slice(0, 200)}`, false)
    await new Promise((resolve) => setTimeout(resolve, Math.min(retryMs, MAX_PAUSE_MS)))
  }
}

function isUnsent(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && NOT_CONNECTED.includes(String(cause.code))
}
