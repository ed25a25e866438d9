/** @aetherkit/mcp: the Aether tools as an MCP server, and x402 payments for MCP tools, sold and bought. */

export { type HttpHandlerOptions, httpHandler } from './http-handler.js'
export { aetherServer, type McpServerOptions, mcpServer } from './mcp-server.js'
export { type PaidToolOptions, paidTool } from './paid-tool.js'
export { type CallParams, type CallTool, type PayingMcpClient, payingMcpClient } from './paying-client.js'
export { type McpToolOptions, registerTools } from './register-tools.js'
