/** The request that a model asks to be priced or paid: an absolute http(s) URL, a method, and a text as body. */
import { z } from 'zod'
import type { PaymentContext } from './payment-context.js'
import { ToolError } from './tool-error.js'

export const requestFields = {
  url: z.string().max(4_096).describe('Absolute http or https URL'),
  method: z
    .enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
    .optional()
    .describe('GET when left out, POST with a body'),
  body: z.string().optional().describe('Text to send; not with GET'),
  content_type: z
    .string()
    .regex(/^[\w.+-]+\/[\w.+-]+(?:; ?[\w-]+=[\w.+-]+)*$/)
    .optional()
    .describe('Media type of body, application/json when left out'),
}

export interface RequestFields {
  readonly url: string
  readonly method?: string | undefined
  readonly body?: string | undefined
  readonly content_type?: string | undefined
}

export interface WebRequest {
  readonly url: URL
  readonly method: string
  readonly init: RequestInit
}

/** @throws ToolError INVALID_ADDRESS; REJECTED for a host that is not among the wallet's, or a GET with a body */
export function readRequest({ hosts }: PaymentContext, fields: RequestFields): WebRequest {
  const { body, content_type = 'application/json' } = fields
  const { method = body === undefined ? 'GET' : 'POST' } = fields
  const url = readUrl(fields.url)
  if (hosts !== undefined && !hosts.includes(url.host))
    throw refused('REJECTED', `${url.host} is not among the hosts that this wallet may use`)
  if (method === 'GET' && body !== undefined)
    throw refused('REJECTED', 'GET takes no body; use POST or leave it out')
  const init: RequestInit = {
    method,
    // A host on the list must not lead to one that is not.
    redirect: hosts === undefined ? 'follow' : 'manual',
    ...(body === undefined ? {} : { body, headers: { 'content-type': content_type } }),
  }
  return { url, method, init }
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:'
  if (url === undefined || !isWeb || url.username !== '' || url.password !== '')
    throw refused('INVALID_ADDRESS', 'url must be an absolute http or https URL without a password')
  url.hash = ''
  return url
}

function refused(code: 'INVALID_ADDRESS' | 'REJECTED', message: string): ToolError {
  return new ToolError({ code, message, paid: false })
}
