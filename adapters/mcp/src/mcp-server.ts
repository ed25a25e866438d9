/** An MCP server over tool definitions (spec frameworks 8), one for each connection or request. */
import {
  type AetherContext,
  type AetherContextOptions,
  type AnyTool,
  aetherContext,
  aetherTools,
  type ToolContext,
} from '@aetherkit/tools'
import { type Implementation, McpServer } from '@modelcontextprotocol/server'
import { type McpToolOptions, registerTools } from './register-tools.js'

export interface McpServerOptions extends McpToolOptions {
  /** How the server calls itself; `aether` by default. */
  readonly info?: Implementation | undefined
  /** What a host may tell its model about the whole server. */
  readonly instructions?: string | undefined
}

const INFO: Implementation = { name: 'aether', title: 'AetherKit', version: '0.1.0' }

/** Made in no time: one for each request or tenant, with a context of its own. */
export function mcpServer<C extends ToolContext>(
  definitions: readonly AnyTool<C>[],
  ctx: C,
  options: McpServerOptions = {},
): McpServer {
  const { info = INFO, instructions } = options
  const server = new McpServer(info, instructions === undefined ? {} : { instructions })
  registerTools(server, definitions, ctx, options)
  return server
}

/** The Aether tools: publish, query, wait, request, discover, advertise, state. */
export function aetherServer(
  client: AetherContext['client'],
  options: McpServerOptions & AetherContextOptions = {},
): McpServer {
  return mcpServer(aetherTools, aetherContext(client, options), options)
}
