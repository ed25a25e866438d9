/**
 * Whose a push URL is (spec a2a 7.2): before it is used for the first time it is asked, by GET, to say a random text back.
 * A server that knows nothing of notifications does not, so nobody can have us post to it. The query parameter is the one
 * of the protocol's published samples.
 */
import { randomBytes } from 'node:crypto'
import { type Guard, readCapped } from '../guard.js'

const CHALLENGE_PARAMETER = 'validationToken'

const MAX_BYTES = 1024
/** Nothing that a browser would take for a page. */
const CHALLENGE = /^[A-Za-z0-9_-]{16,128}$/

/** Neither token nor credentials go along: they are for the owner. @throws GuardError, or what fetch throws */
export async function isOwned(url: string, guard: Guard, signal: AbortSignal): Promise<boolean> {
  const text = randomBytes(24).toString('base64url')
  const asked = new URL(url)
  asked.searchParams.set(CHALLENGE_PARAMETER, text)
  const response = await guard.fetch(asked, { headers: { accept: 'text/plain' }, signal })
  const body = Buffer.from(await readCapped(response, MAX_BYTES)).toString()
  return response.ok && body.trim() === text
}

/** What a receiver answers with, 200 and `text/plain`; undefined for a request that is no challenge. */
export function challengeIn(url: string): string | undefined {
  const text = new URL(url, 'http://localhost').searchParams.get(CHALLENGE_PARAMETER) ?? ''
  return CHALLENGE.test(text) ? text : undefined
}
