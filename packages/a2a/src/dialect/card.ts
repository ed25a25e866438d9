/** How a card declares the dialect (spec a2a 3.1). */
import type { AgentExtension, JsonRecord } from '../model.js'
import { AGENT_REQUEST } from './params.js'
import { DEFAULT_PROFILE } from './profile.js'
import type { DialectOptions } from './serve.js'
import { DEFAULT_WINDOW } from './stamp.js'

/** The project's name for the dialect, as other URIs of its extensions. */
export const AGENT_REQUEST_EXTENSION = 'https://aetherkit.dev/ext/aether-agent-request/v1'

export function dialectExtension({
  addresses,
  actions = {},
  profile = DEFAULT_PROFILE,
  window = {},
}: Pick<DialectOptions, 'addresses' | 'actions' | 'profile' | 'window'>): AgentExtension {
  const [address = ''] = addresses
  const { pastMs } = { ...DEFAULT_WINDOW, ...window }
  const params: JsonRecord = {
    method: AGENT_REQUEST,
    signature: profile,
    address,
    windowSeconds: Math.floor(pastMs / 1000),
    actions: Object.entries(actions).map(([id, { inputSchema }]) => ({
      id,
      ...(inputSchema !== undefined && { inputSchema }),
    })),
  }
  return {
    uri: AGENT_REQUEST_EXTENSION,
    description: 'Signed requests of the agent.request method.',
    required: false,
    params,
  }
}
