/**
 * What is the operator's alone: the console, and routes such as `/metrics`. Where there is an admin token it is asked
 * for, whoever asks. Where there is none, such a route is for this machine. A proxy on this machine makes everybody look
 * like it, so whatever shows that there is one ends that: a header that proxies add, or a public URL in the settings.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Reject, reject } from '@aetherkit/core'
import { addressOf } from '../admission.js'
import type { AdminToken } from '../console/admin-token.js'
import { isLoopback } from '../own-url.js'
import { Refused } from './http-answer.js'

const FORWARDING = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'] as const

export interface OperatorOptions {
  readonly admin: AdminToken
  /** Public URLs of this relay. */
  readonly urls: readonly string[]
}

/** @throws Refused unless the request shows the admin token. */
export function assertToken({ request, response }: Shown, admin: AdminToken): void {
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-content-type-options', 'nosniff')
  if (admin.admits(request)) return
  response.setHeader('www-authenticate', 'Bearer')
  throw new Refused(reject('auth_required', undefined, 'the admin token, as Authorization: Bearer'))
}

/** @throws Refused unless the request shows the admin token, or there is none and it comes from this machine. */
export function assertOperator(shown: Shown, { admin, urls }: OperatorOptions): void {
  if (admin.isSet) assertToken(shown, admin)
  else if (urls.length > 0 || !isFromHere(shown.request)) throw new Refused(forHereAlone())
}

interface Shown {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

function isFromHere({ socket, headers }: IncomingMessage): boolean {
  return isLoopback(addressOf(socket)) && FORWARDING.every((name) => headers[name] === undefined)
}

function forHereAlone(): Reject {
  return reject('restricted', undefined, 'for this machine, or with an admin token: --http-admin-token-file')
}
