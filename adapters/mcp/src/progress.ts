/** Progress of a tool as notifications, for hosts that gave a token. */
import type { Json } from '@aetherkit/tools'
import type { ServerContext } from '@modelcontextprotocol/server'

export function progressOf({ mcpReq }: ServerContext): (value: Json) => void {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return () => {}
  let progress = 0
  return (value) => {
    const message = typeof value === 'string' ? value : JSON.stringify(value)
    const params = { progressToken, progress: ++progress, message }
    // A host that has left needs no progress.
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {})
  }
}
