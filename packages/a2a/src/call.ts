/** The context of one call (spec a2a 2.3): extensions asked for and used, the same for every carrier. */
import type { DispatchRequest } from './dispatch.js'
import type { CallContext } from './engine.js'
import { A2AError } from './errors.js'
import type { AgentCard, JsonRecord } from './model.js'
import { compact } from './read-message.js'
import { STREAM_RESUME } from './stream-resume.js'
import type { Version } from './version.js'

export interface Call {
  readonly context: CallContext
  /** Events are numbered for this caller. */
  readonly resume: boolean
  /** `A2A-Extensions` of the answer, with what was used up to now. */
  headers(): Record<string, string>
}

/** Which tenants there are beside the one without a name (spec a2a 7.5). */
export interface Tenants {
  /** By its name as the path prefix `/{tenant}`. */
  has(tenant: string): boolean
  /** `params.tenant` may name it; else it must be the one of the route. */
  readonly fromParams?: boolean
}

const MAX_URI = 2048

/**
 * @param carried what the carrier knows of the caller
 * @throws A2AError INVALID_PARAMS for a list too long, EXTENSION_SUPPORT_REQUIRED
 */
export function openCall(
  carried: Pick<DispatchRequest, 'caller' | 'tenant' | 'header' | 'signal' | 'peer' | 'extensions'>,
  carrier: CallContext['carrier'],
  version: Version,
  card: AgentCard,
  maxExtensions: number,
): Call {
  const extensions = readExtensions(carried.extensions, maxExtensions)
  const declared = card.capabilities.extensions ?? []
  const missing = declared.find(({ uri, required }) => required === true && !extensions.has(uri))
  if (missing !== undefined)
    throw new A2AError(
      'EXTENSION_SUPPORT_REQUIRED',
      `This agent requires the extension ${missing.uri}: name it in the header A2A-Extensions`,
      { metadata: { extension: missing.uri } },
    )
  const activated = new Set<string>()
  const resume = extensions.has(STREAM_RESUME) && declared.some(({ uri }) => uri === STREAM_RESUME)
  const { caller, tenant, header, signal, peer } = carried
  const context = {
    ...compact({ header, signal, peer }),
    caller,
    tenant,
    version,
    carrier,
    extensions,
    activate: (uri: string) => void activated.add(uri),
  }
  const name = version === '0.3' ? 'x-a2a-extensions' : 'a2a-extensions'
  return {
    context,
    resume,
    headers: () => (activated.size === 0 ? {} : { [name]: [...activated].join(', ') }),
  }
}

/** URIs of the header, without repeats. What is no URI cannot be echoed and is left out. */
function readExtensions(text: string | undefined, max: number): ReadonlySet<string> {
  const uris = (text ?? '').split(',').flatMap((item) => {
    const uri = item.trim()
    return uri !== '' && uri.length <= MAX_URI && /^[!-~]+$/.test(uri) ? [uri] : []
  })
  if (uris.length <= max) return new Set(uris)
  throw new A2AError('INVALID_PARAMS', `At most ${max} extensions may be asked for`, {
    violations: [{ field: 'A2A-Extensions', description: `must name at most ${max} URIs` }],
  })
}

/** @throws A2AError INVALID_PARAMS for a tenant in the params that is not the one of the route */
export function tenantOf(params: JsonRecord, route: string, tenants: Tenants | undefined): string {
  const { tenant = '' } = params
  if (tenant === '' || tenant === null || tenant === route) return route
  const named = tenants?.fromParams === true && route === '' && typeof tenant === 'string'
  if (named && tenants.has(tenant)) return tenant
  throw new A2AError('INVALID_PARAMS', 'Invalid params: tenant must be the one of the address', {
    violations: [{ field: 'tenant', description: 'must be the one of the address' }],
  })
}
