/**
 * A repeated message is the same message (spec a2a 7.4): what is remembered of each, by owner, tenant and message id.
 * Anonymous callers share no secret that would tell them apart, so nothing is remembered of theirs.
 */
import { createHash } from 'node:crypto'
import type { CallContext } from '../engine.js'
import type { SendMessageRequest } from '../model.js'
import { isRecord } from '../read-fields.js'

/** Where it is remembered; undefined when it is not. */
export function onceKey(
  { message }: SendMessageRequest,
  { caller, tenant }: CallContext,
): string | undefined {
  if (caller.anonymous) return undefined
  return `message:${sha256([caller.owner, tenant, message.messageId])}`
}

/** Of what is asked for; how the answer is to be given may differ between repeats. */
export const requestHash = ({ message, metadata }: SendMessageRequest): string =>
  sha256([message, metadata ?? null])

/** Whose a context is, before a task in it is stored. */
export const contextKey = (contextId: string): string => `context:${sha256(contextId)}`
export const ownerHash = (owner: string, tenant: string): string => sha256([owner, tenant])

const sha256 = (value: unknown): string => createHash('sha256').update(sorted(value)).digest('base64url')

/** JSON with sorted keys: two readings of one request are equal. */
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    isRecord(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  )
