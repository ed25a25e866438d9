/** Streamable HTTP behind a guard against DNS rebinding: the SDK's handler checks neither `Host` nor `Origin`. */
import {
  type CreateMcpHandlerOptions,
  createMcpHandler,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  type McpHttpHandler,
  type McpServerFactory,
  originValidationResponse,
} from '@modelcontextprotocol/server'

export interface HttpHandlerOptions extends CreateMcpHandlerOptions {
  /** Host names, without ports, under which the server is reached; this machine's by default. */
  readonly hosts?: readonly string[]
  /** Host names of pages that may call it; `hosts` by default. A request without `Origin` is no page's. */
  readonly origins?: readonly string[]
}

/**
 * A web-standard handler, a server for each request: `toNodeHandler` of `@modelcontextprotocol/node` makes it one for
 * `node:http` and Express. A foreign `Host` or `Origin` is a 403, before anything else is looked at.
 */
export function httpHandler(factory: McpServerFactory, options: HttpHandlerOptions = {}): McpHttpHandler {
  const { hosts = localhostAllowedHostnames(), origins = hosts, ...rest } = options
  const handler = createMcpHandler(factory, rest)
  return {
    ...handler,
    fetch: async (request, given) =>
      hostHeaderValidationResponse(request, [...hosts]) ??
      originValidationResponse(request, [...origins]) ??
      handler.fetch(request, given),
  }
}
