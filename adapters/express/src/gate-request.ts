/** An Express request as the gate sees it: under the public base URL, never under `Host`. */
import { createHash } from 'node:crypto'
import type { GateRequest } from '@aetherkit/payments'
import type { PaidRequest } from './middleware.js'

export function gateRequest(request: PaidRequest, baseUrl: string): GateRequest {
  const { rawBody, ip } = request
  return {
    method: request.method ?? 'GET',
    url: baseUrl.replace(/\/+$/, '') + originalPath(request),
    header: (name) => [request.headers[name]].flat()[0],
    ...(rawBody !== undefined && { bodySha256: createHash('sha256').update(rawBody).digest('hex') }),
    ...(ip !== undefined && { ip }),
  }
}

/** The path as the routers behind see it: rewritten where it was rewritten, of a target in absolute form the path. */
export function routedPath(request: PaidRequest): string {
  const { baseUrl = '', path } = request
  return path === undefined ? originalPath(request) : baseUrl + path
}

/** The route's own pattern, for `bind: 'route'`. */
export function routePattern({ baseUrl = '', route }: PaidRequest): string | undefined {
  return route?.path === undefined ? undefined : baseUrl + String(route.path)
}

/** Path and query as they came. */
function originalPath({ originalUrl, url = '/' }: PaidRequest): string {
  const target = originalUrl ?? url
  if (target.startsWith('/')) return target
  const { pathname, search } = URL.canParse(target) ? new URL(target) : { pathname: `/${target}`, search: '' }
  return pathname + search
}
