/** CORS preflights of priced routes: free, and never the handler's. */
import { PREFLIGHT_HEADERS } from '@aetherkit/payments'
import { type PaidRequest, type PaidResponse, setHeaders } from './middleware.js'

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'

export function allow(response: PaidResponse, { origin }: { readonly origin?: string }): false {
  setHeaders(response, {
    ...PREFLIGHT_HEADERS,
    'Access-Control-Allow-Methods': METHODS,
    'Access-Control-Max-Age': '600',
  })
  if (origin !== undefined) response.setHeader('Access-Control-Allow-Origin', origin)
  response.statusCode = 204
  response.end()
  return false
}

/** A preflight asks for the method that is to follow. */
export function pricedMethod({ method = 'GET', headers }: PaidRequest): string {
  return method === 'OPTIONS' ? ([headers['access-control-request-method']].flat()[0] ?? 'GET') : method
}
