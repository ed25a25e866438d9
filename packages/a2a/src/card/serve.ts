/**
 * `GET /.well-known/agent-card.json`, and `agent.json` of 0.2 (spec a2a 2.7): a caller of 1.0 gets a pure 1.0 card, one
 * of 0.3 the 0.3 card, one that names no version the hybrid when it is on.
 */
import { createHash } from 'node:crypto'
import type { AgentCard, JsonRecord } from '../model.js'
import { VERSION_HEADER } from '../version.js'
import { hybridCard } from './legacy-card.js'

export const CARD_PATHS: readonly string[] = ['/.well-known/agent-card.json', '/.well-known/agent.json']

export interface CardAnswer {
  readonly status: 200 | 304
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface CardRequest {
  /** Header or query `A2A-Version`. */
  readonly version: string | undefined
  readonly ifNoneMatch: string | undefined
  readonly ifModifiedSince: string | undefined
}

export interface CardServing {
  /** The card of 0.3, where it is served. */
  readonly legacy: JsonRecord | undefined
  readonly hybrid: boolean
  readonly maxAgeSeconds: number
  /** ms; when this card came to be. */
  readonly since: number
}

/** Serves one signed card; its three forms are written once. */
export function serveCard(card: AgentCard, serving: CardServing): (request: CardRequest) => CardAnswer {
  const modern = document(card)
  const legacy = serving.legacy === undefined ? modern : document(serving.legacy)
  const hybrid = serving.hybrid ? document(hybridCard(card)) : modern
  const lastModified = new Date(Math.floor(serving.since / 1000) * 1000).toUTCString()
  return ({ version, ifNoneMatch, ifModifiedSince }) => {
    const asked = version?.trim() ?? ''
    const { body, etag } = asked === '' ? hybrid : /^0\.3(\.\d+)?$/.test(asked) ? legacy : modern
    const headers = {
      'cache-control': `public, max-age=${serving.maxAgeSeconds}`,
      etag,
      'last-modified': lastModified,
      vary: VERSION_HEADER,
    }
    // The date counts only where no tag was sent (RFC 9110 13.1.3).
    const same =
      ifNoneMatch === undefined
        ? Date.parse(ifModifiedSince ?? '') >= Date.parse(lastModified)
        : matches(ifNoneMatch, etag)
    if (same) return { status: 304, headers, body: '' }
    return { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body }
  }
}

function document(value: unknown): { readonly body: string; readonly etag: string } {
  const body = JSON.stringify(value)
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"` }
}

/** Weak comparison: a proxy that compresses weakens the tag. */
const matches = (header: string, etag: string): boolean =>
  header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
